import { assign } from './platform';

// Subclasses of Error by hand: ES5 cannot extend it, and each has to be known by name and by instanceof.
function define(name: string): any {
  function Failure(this: any, text: string, statusCode: any) {
    assign(this, { message: text || name, stack: Error(text).stack, statusCode: statusCode });
  }
  Failure.prototype = Error();
  Failure.prototype.name = name;
  return Failure;
}

export const AbortError = define('AbortError');
export const TimeoutError = define('TimeoutError');
export const HttpError = define('HttpError');

export const CLOSED = 'Connection closed';

/** What answered where a hub should have: its address without the query, which holds secrets, the first that it said, and why that may be. */
export function unexpected(url: string, response: any) {
  const status = response.statusCode;
  const cause = !status ? ' Offline? CORS?' : /200|404/.test(status) ? ' Not a hub?' : '';
  const path = url.split('?')[0];
  return assign(new HttpError(path + ' answered ' + status + ' ' + ('' + response.content).slice(0, 60) + cause, status), { url: path });
}
