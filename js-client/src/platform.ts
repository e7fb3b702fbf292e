export function noop() {}

/** Calls `act` for each word of `words`. */
export function each(words: string, act: (word: string, index: number) => void) {
  words.split(' ').forEach(act);
}

/** How much a message is: characters, or bytes. */
export function sizeOf(data: any): number {
  return data && (data.length || data.byteLength);
}

export function withQuery(url: string, name: string, value: any) {
  return url + (url.indexOf('?') < 0 ? '?' : '&') + name + '=' + encodeURIComponent(value);
}

/** Negotiation is HTTP, and WebSocket long refused relative addresses and fragments. */
export function absolute(url: string): string {
  const place = /^\w+:/.test(url) ? { href: url }
    : scope.document ? assign(scope.document.createElement('a'), { href: url })
    : new scope.URL(url, scope.location);
  return place.href.replace(/#.*/, '').replace(/^ws/i, 'http');
}

/** Copies own properties of the later object into the first; what is undefined is passed over. */
export function assign(target: any, source: any) {
  for (const key in source) if (source[key] !== undefined) target[key] = source[key];
  return target;
}
