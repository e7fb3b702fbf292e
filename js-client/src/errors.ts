// Subclasses of Error by hand: ES5 cannot extend it, and each has to be known by name and by instanceof.
function define(name: string, detail?: string): any {
  function Failure(this: any, text: string, value: any) {
    this.message = text || name;
    this.stack = name + ': ' + Error(text).stack;
    if (detail) this[detail] = value;
  }
  Failure.prototype = Object.create(Error.prototype);
  Failure.prototype.name = name;
  return Failure;
}

export const AbortError = define('AbortError');
export const TimeoutError = define('TimeoutError');
export const HttpError = define('HttpError', 'statusCode');
