import { AbortError, HttpError, TimeoutError } from './errors';
import { assign, bare, root } from './platform';
import { P } from './promise';

/** What an answer to a request is to SignalR's clients. */
export function HttpResponse(this: any, statusCode: number, statusText?: string, content?: string | ArrayBuffer) {
  this.statusCode = statusCode;
  this.statusText = statusText;
  this.content = content;
}

/** The base of clients that an application brings: `send` is theirs. */
export function HttpClient() {}
['get', 'post', 'delete'].forEach(function (method) {
  HttpClient.prototype[method] = function (url: string, options: any) {
    return this.send(assign({ method: method.toUpperCase(), url: url }, options));
  };
});

/** XMLHttpRequest where there is one, which is every page; else fetch, which is Node and service workers. */
export function DefaultHttpClient(this: any, _logger?: any, xhr?: any) {
  this._xhr = xhr;
}
DefaultHttpClient.prototype = new (HttpClient as any)();
DefaultHttpClient.prototype.send = function (request: any): Promise<any> {
  const Xhr = this._xhr || root.XMLHttpRequest;
  return new P(function (resolve, reject) {
    const url = request.url;
    const content = request.content;
    const signal = request.abortSignal || {};
    const isBinary = request.responseType === 'arraybuffer';
    const withCredentials = request.withCredentials !== false;
    // Either can be aborted.
    const exchange: any = Xhr ? new Xhr() : new AbortController();
    const timer = request.timeout && setTimeout(function () { fail(new TimeoutError()); }, request.timeout);
    // Of a body without a type, engines have odd ideas.
    const headers = assign({
      'Content-Type': content && content.byteLength ? 'application/octet-stream' : 'text/plain;charset=UTF-8',
      'X-Requested-With': 'XMLHttpRequest',
    }, request.headers);

    function fail(error: any) {
      clearTimeout(timer);
      reject(error);
      exchange.abort();
    }
    function answer(statusCode: number, statusText: string, content: any) {
      clearTimeout(timer);
      if (statusCode >= 200 && statusCode < 300) resolve(new (HttpResponse as any)(statusCode, statusText, content));
      else fail(new HttpError(bare(url) + ' answered ' + statusCode + ' ' + (isBinary ? '' : content.slice(0, 60)), statusCode));
    }
    function lost(cause: any) {
      fail(assign(Error('No answer from ' + bare(url)), { cause: cause }));
    }
    signal.onabort = function () { fail(new AbortError()); };

    if (Xhr) {
      exchange.open(request.method, url, true);
      exchange.withCredentials = withCredentials;
      for (const name in headers) exchange.setRequestHeader(name, headers[name]);
      if (isBinary) exchange.responseType = 'arraybuffer';
      exchange.onload = function () { answer(exchange.status, exchange.statusText, isBinary ? exchange.response : exchange.responseText); };
      exchange.onerror = lost;
      exchange.send(content || '');
    } else {
      root.fetch(url, {
        method: request.method,
        body: content || undefined,
        headers: headers,
        credentials: withCredentials ? 'include' : 'same-origin',
        signal: exchange.signal,
      }).then(function (response: any) {
        return response[isBinary ? 'arrayBuffer' : 'text']().then(function (content: any) {
          answer(response.status, response.statusText, content);
        });
      }).then(null, lost);
    }
  });
};
