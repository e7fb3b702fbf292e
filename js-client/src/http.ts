import { AbortError, TimeoutError, unexpected } from './errors';
import { assign, each, root } from './platform';
import { P } from './promise';

/** What an answer to a request is to SignalR's clients. */
export function HttpResponse(this: any, statusCode: number, statusText?: string, content?: string | ArrayBuffer) {
  this.statusCode = statusCode;
  this.statusText = statusText;
  this.content = content;
}

/** The base of clients that an application brings: `send` is theirs. */
export function HttpClient() {}
each('get post delete', function (method) {
  HttpClient.prototype[method] = function (url: string, options: any) {
    return this.send(assign({ method: method.toUpperCase(), url: url }, options));
  };
});

/** XMLHttpRequest where there is one, which is every page; else fetch, which is Node and service workers. */
export function DefaultHttpClient() {}
DefaultHttpClient.prototype = new (HttpClient as any)();
DefaultHttpClient.prototype.send = function (request: any): Promise<any> {
  return new P(function (resolve, reject) {
    const url = request.url;
    const isBinary = request.responseType === 'arraybuffer';
    const withCredentials = request.withCredentials !== false;
    const Xhr = request.XMLHttpRequest || root.XMLHttpRequest;
    // Either can be aborted.
    const exchange: any = Xhr ? new Xhr() : new AbortController();
    const timer = request.timeout && setTimeout(function () { fail(new TimeoutError()); }, request.timeout);
    const headers = assign({
      // Of a body without a type, engines have odd ideas. Servers do not ask.
      'Content-Type': 'text/plain;charset=UTF-8',
      'X-Requested-With': 'XMLHttpRequest',
    }, request.headers);

    function fail(error: any) {
      clearTimeout(timer);
      reject(error);
      exchange.abort();
    }
    function answer(source: any, content: any) {
      const response = new (HttpResponse as any)(source.status, source.statusText, content);
      clearTimeout(timer);
      if (/^2/.test(source.status)) resolve(response);
      else fail(unexpected(url, response));
    }
    if (request.abortSignal) request.abortSignal.onabort = function () { fail(new AbortError()); };

    if (Xhr) {
      exchange.open(request.method, url);
      exchange.withCredentials = withCredentials;
      for (const name in headers) exchange.setRequestHeader(name, headers[name]);
      if (isBinary) exchange.responseType = 'arraybuffer';
      exchange.onload = exchange.onerror = function () { answer(exchange, isBinary ? exchange.response : exchange.responseText); };
      exchange.send(request.content || '');
    } else {
      root.fetch(url, {
        method: request.method,
        body: request.content,
        headers: headers,
        credentials: withCredentials ? 'include' : 'same-origin',
        signal: exchange.signal,
      }).then(function (response: any) {
        return response[isBinary ? 'arrayBuffer' : 'text']().then(function (content: any) { answer(response, content); });
      }).catch(function (error: any) { answer({}, error.cause || error); });
    }
  });
};
