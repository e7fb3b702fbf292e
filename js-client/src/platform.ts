/** What the engine has. It is looked up when it is needed, because a page may bring a missing piece later. */
declare const global: any;

export const root: any = typeof self !== 'undefined' ? self : global;

export function noop() {}

/** Calls `act` for each word of `words`. */
export function each(words: string, act: (word: string, index: number) => void) {
  words.split(' ').forEach(act);
}

/** How much a message is: characters, or bytes. */
export function sizeOf(data: any): number {
  return data && (data.length || data.byteLength);
}

export function withQuery(url: string, name: string, value: string | number) {
  return url + (url.indexOf('?') < 0 ? '?' : '&') + name + '=' + value;
}

/** Negotiation is HTTP, and WebSocket long refused relative addresses and fragments. */
export function absolute(url: string): string {
  let place: any;
  if (!/^\w+:/.test(url)) {
    if (root.document) {
      place = root.document.createElement('a');
      place.href = url;
    } else place = new root.URL(url, root.location);
    url = place.href;
  }
  return url.replace(/#.*/, '').replace(/^ws/i, 'http');
}

/** Copies own properties of the later object into the first; what is undefined is passed over. */
export function assign(target: any, source: any) {
  for (const key in source) if (source[key] !== undefined) target[key] = source[key];
  return target;
}
