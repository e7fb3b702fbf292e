/** What applications see. Its types are in hubwire.d.ts. */
export { HubConnectionState, HttpTransportType, LogLevel, MessageType, TransferFormat } from './enums';
export { AbortError, HttpError, TimeoutError } from './errors';
export { HubConnectionBuilder } from './builder';
export { HubConnection } from './hub-connection';
export { DefaultHttpClient, HttpClient, HttpResponse } from './http';
export { JsonHubProtocol } from './json-protocol';
export { NullLogger } from './logging';
export { Subject } from './subject';

export const VERSION = '0.1.0';
