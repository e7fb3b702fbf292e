/** What the engine has. It is looked up when it is needed, because a page may bring a missing piece later. */
declare const global: any;

export const root: any = typeof self !== 'undefined' ? self : typeof global !== 'undefined' ? global : {};

export function noop() {}

/** An address without its query, which holds secrets: for messages that people read. */
export function bare(url: string) {
  return url.split('?')[0];
}

export function withQuery(url: string, name: string, value: string | number) {
  return url + (url.indexOf('?') < 0 ? '?' : '&') + name + '=' + value;
}

/** Negotiation is HTTP, and WebSocket long refused relative addresses and fragments. */
export function absolute(url: string): string {
  if (!url) throw Error('A url is needed: withUrl.');
  url = url.replace(/#.*/, '');
  if (/^(http|ws)s?:/i.test(url)) return url.replace(/^ws/i, 'http');
  if (root.document) {
    const anchor = root.document.createElement('a');
    anchor.href = url;
    return anchor.href;
  }
  return new root.URL(url, root.location).href;
}

/** Copies own properties of the later objects into the first; what is undefined is passed over. */
export function assign(target: any, source: any) {
  for (const key in source) if (source[key] !== undefined) target[key] = source[key];
  return target;
}
