// Subclasses of Error by hand: ES5 cannot extend it, and each has to be known by name and by instanceof.
function define(name: string): any {
  function Failure(this: any, text: string, statusCode: any) {
    this.message = text || name;
    this.stack = name + ': ' + Error(text).stack;
    this.statusCode = statusCode;
  }
  Failure.prototype = Error();
  Failure.prototype.name = name;
  return Failure;
}

export const AbortError = define('AbortError');
export const TimeoutError = define('TimeoutError');
export const HttpError = define('HttpError');

export const CLOSED = 'The connection was closed.';

/** What answered where a hub should have: its address without the query, which holds secrets, and the first that it said. */
export function unexpected(url: string, response: any) {
  return new HttpError(url.split('?')[0] + ' answered ' + (response.statusCode || 0) + ' ' + ('' + response.content).slice(0, 60), response.statusCode);
}
