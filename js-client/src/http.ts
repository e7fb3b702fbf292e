import { AbortError, TimeoutError, unexpected } from './errors';
import { assign } from './platform';
import { P } from './promise';

/** What an answer to a request is to SignalR's clients. */
export function HttpResponse(this: any, statusCode: number, statusText?: string, content?: string | ArrayBuffer) {
  assign(this, { statusCode: statusCode, statusText: statusText, content: content });
}

/** The base of clients that an application brings: `send` is theirs. */
export function HttpClient() {}

/** XMLHttpRequest where there is one, which is every page; else fetch, which is Node and service workers. */
export function DefaultHttpClient() {}
DefaultHttpClient.prototype = new (HttpClient as any)();
DefaultHttpClient.prototype.send = function (request: any): Promise<any> {
  return new P(function (resolve, reject) {
    const url = request.url;
    const isBinary = request.responseType === 'arraybuffer';
    const withCredentials = request.withCredentials;
    const Xhr = request.XMLHttpRequest || scope.XMLHttpRequest;
    // Either can be aborted.
    const exchange: any = Xhr ? new Xhr() : new AbortController();
    const timer = request.timeout && setTimeout(function () { settle(reject, new TimeoutError()); }, request.timeout);
    const headers = assign({
      // By this, servers tell a script from a person, whom they would send to a login.
      'X-Requested-With': 'XMLHttpRequest',
    }, request.headers);

    function settle(act: any, value: any) {
      clearTimeout(timer);
      act(value);
      exchange.abort();
    }
    function answer(source: any, content: any) {
      const response = new (HttpResponse as any)(source.status, source.statusText, content);
      if (/^2/.test(source.status)) settle(resolve, response);
      else settle(reject, unexpected(url, response));
    }
    if (request.abortSignal) request.abortSignal.onabort = function () { settle(reject, new AbortError()); };

    if (Xhr) {
      exchange.open(request.method, url);
      exchange.withCredentials = withCredentials;
      for (const name in headers) exchange.setRequestHeader(name, headers[name]);
      if (isBinary) exchange.responseType = 'arraybuffer';
      exchange.onload = exchange.onerror = function () { answer(exchange, isBinary ? exchange.response : exchange.responseText); };
      exchange.send(request.content || '');
    } else {
      scope.fetch(url, {
        method: request.method,
        body: request.content,
        headers: headers,
        credentials: withCredentials ? 'include' : undefined,
        signal: exchange.signal,
      }).then(function (response: any) {
        return response[isBinary ? 'arrayBuffer' : 'text']().then(function (content: any) { answer(response, content); });
      }).catch(function (error: any) { answer({ status: 0 }, error.cause || error); });
    }
  });
};
