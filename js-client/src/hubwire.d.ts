/**
 * The types of hubwire: those of @microsoft/signalr by name and by shape, and what is beside them is marked "hubwire's own".
 */

export declare const VERSION: string;

/** Levels of messages for the programmer. */
export declare const enum LogLevel {
  Trace = 0,
  Debug = 1,
  Information = 2,
  Warning = 3,
  Error = 4,
  Critical = 5,
  None = 6,
}

/** What a message of the hub protocol is. */
export declare const enum MessageType {
  Invocation = 1,
  StreamItem = 2,
  Completion = 3,
  StreamInvocation = 4,
  CancelInvocation = 5,
  Ping = 6,
  Close = 7,
  Ack = 8,
  Sequence = 9,
}

/** Transports, as flags. */
export declare const enum HttpTransportType {
  None = 0,
  WebSockets = 1,
  ServerSentEvents = 2,
  LongPolling = 4,
  /** Hubwire's own: polls that are answered at once, where a network cuts whatever waits. */
  ShortPolling = 128,
}

export declare const enum TransferFormat {
  Text = 1,
  Binary = 2,
}

export declare const enum HubConnectionState {
  Disconnected = "Disconnected",
  Connecting = "Connecting",
  Connected = "Connected",
  Disconnecting = "Disconnecting",
  Reconnecting = "Reconnecting",
}

/** Somebody or something stopped it. */
export declare class AbortError extends Error {
  constructor(errorMessage?: string);
}

/** It took too long. */
export declare class TimeoutError extends Error {
  constructor(errorMessage?: string);
}

/** An answer with another status than a good one, or none, which is status 0; or a socket that was lost, with its close code. */
export declare class HttpError extends Error {
  statusCode: number;
  /** Hubwire's own: the address that answered, or did not, without its query. */
  url?: string;
  constructor(errorMessage: string, statusCode: number);
}

export interface AbortSignal {
  aborted: boolean;
  onabort: (() => void) | null;
}

export interface MessageHeaders {
  [key: string]: string;
}

export interface HttpRequest {
  method?: string;
  url?: string;
  content?: string | ArrayBuffer;
  headers?: MessageHeaders;
  responseType?: XMLHttpRequestResponseType;
  abortSignal?: AbortSignal;
  timeout?: number;
  withCredentials?: boolean;
}

export declare class HttpResponse {
  readonly statusCode: number;
  readonly statusText?: string;
  readonly content?: string | ArrayBuffer;
  constructor(statusCode: number, statusText?: string, content?: string | ArrayBuffer);
}

/** The base of HTTP clients that an application brings (`IHttpConnectionOptions.httpClient`). */
export declare abstract class HttpClient {
  /** Rejects with an `HttpError` for an answer that is not 2xx. */
  abstract send(request: HttpRequest): Promise<HttpResponse>;
}

/** XMLHttpRequest where there is one, else fetch. */
export declare class DefaultHttpClient extends HttpClient {
  constructor(logger?: ILogger);
  send(request: HttpRequest): Promise<HttpResponse>;
}

export interface ILogger {
  log(logLevel: LogLevel, message: string): void;
}

/** A logger that says nothing. */
export declare class NullLogger implements ILogger {
  static instance: ILogger;
  private constructor();
  log(logLevel: LogLevel, message: string): void;
}

/** A transport that an application brings (`IHttpConnectionOptions.transport`). */
export interface ITransport {
  connect(url: string, transferFormat: TransferFormat): Promise<void>;
  send(data: any): Promise<void>;
  stop(): Promise<void>;
  onreceive: ((data: string | ArrayBuffer) => void) | null;
  onclose: ((error?: Error) => void) | null;
}

export interface IHttpConnectionOptions {
  /** Sent with every request. A page cannot set headers on a WebSocket or an event stream. */
  headers?: MessageHeaders;
  httpClient?: HttpClient;
  /** The transports that may be used, as flags, or one that is brought. By default all. */
  transport?: HttpTransportType | ITransport;
  logger?: ILogger | LogLevel;
  /** Asked for each connection, for each WebSocket, and once again when a request was answered 401. */
  accessTokenFactory?(): string | Promise<string>;
  logMessageContent?: boolean;
  /** Only with `HttpTransportType.WebSockets`. */
  skipNegotiation?: boolean;
  /** Whether requests to other origins carry cookies. True by default. */
  withCredentials?: boolean;
  /** Milliseconds for a request; by default 100,000 for polls and for what is sent, and the server timeout for others. */
  timeout?: number;
  /** Classes to use instead of the global ones, or where there is none, as in Node. */
  WebSocket?: any;
  EventSource?: any;
  /** Hubwire's own. */
  XMLHttpRequest?: any;
  /** Hubwire's own: milliseconds until the next transport is tried; 5,000 by default. The last one has as long as the server timeout. */
  connectTimeout?: number;
  /** Hubwire's own: whether a first connect that fails is tried again, by the policy of `withAutomaticReconnect`. */
  retryStart?: boolean;
}

export interface IStatefulReconnectOptions {
  /** How much may be unacknowledged before sends wait: characters of JSON, bytes of MessagePack. 100,000 by default. */
  bufferSize: number;
}

export interface IRetryPolicy {
  /** Milliseconds until the next attempt, or null to give up. */
  nextRetryDelayInMilliseconds(retryContext: RetryContext): number | null;
}

export interface RetryContext {
  readonly previousRetryCount: number;
  readonly elapsedMilliseconds: number;
  readonly retryReason: Error;
}

export interface IStreamSubscriber<T> {
  closed?: boolean;
  next(value: T): void;
  error(err: any): void;
  complete(): void;
}

export interface IStreamResult<T> {
  subscribe(subscriber: IStreamSubscriber<T>): ISubscription<T>;
}

export interface ISubscription<T> {
  dispose(): void;
}

/** A stream that is sent to the server as an argument of a call. */
export declare class Subject<T> implements IStreamResult<T> {
  constructor();
  next(item: T): void;
  error(err: any): void;
  complete(): void;
  subscribe(observer: IStreamSubscriber<T>): ISubscription<T>;
}

export interface HubMessageBase {
  readonly type: MessageType;
}

export interface HubInvocationMessage extends HubMessageBase {
  readonly headers?: MessageHeaders;
  readonly invocationId?: string;
}

export interface InvocationMessage extends HubInvocationMessage {
  readonly type: MessageType.Invocation;
  readonly target: string;
  readonly arguments: any[];
  readonly streamIds?: string[];
}

export interface StreamInvocationMessage extends HubInvocationMessage {
  readonly type: MessageType.StreamInvocation;
  readonly invocationId: string;
  readonly target: string;
  readonly arguments: any[];
  readonly streamIds?: string[];
}

export interface StreamItemMessage extends HubInvocationMessage {
  readonly type: MessageType.StreamItem;
  readonly invocationId: string;
  readonly item?: any;
}

export interface CompletionMessage extends HubInvocationMessage {
  readonly type: MessageType.Completion;
  readonly invocationId: string;
  readonly error?: string;
  readonly result?: any;
}

export interface PingMessage extends HubMessageBase {
  readonly type: MessageType.Ping;
}

export interface CloseMessage extends HubMessageBase {
  readonly type: MessageType.Close;
  readonly error?: string;
  readonly allowReconnect?: boolean;
}

export interface CancelInvocationMessage extends HubInvocationMessage {
  readonly type: MessageType.CancelInvocation;
  readonly invocationId: string;
}

export interface AckMessage extends HubMessageBase {
  readonly type: MessageType.Ack;
  readonly sequenceId: number;
}

export interface SequenceMessage extends HubMessageBase {
  readonly type: MessageType.Sequence;
  readonly sequenceId: number;
}

export type HubMessage =
  | InvocationMessage
  | StreamInvocationMessage
  | StreamItemMessage
  | CompletionMessage
  | PingMessage
  | CloseMessage
  | CancelInvocationMessage
  | AckMessage
  | SequenceMessage;

/** How messages become text or bytes. */
export interface IHubProtocol {
  readonly name: string;
  readonly version: number;
  readonly transferFormat: TransferFormat;
  parseMessages(input: string | ArrayBuffer, logger: ILogger): HubMessage[];
  writeMessage(message: HubMessage): string | ArrayBuffer;
}

export declare class JsonHubProtocol implements IHubProtocol {
  readonly name: string;
  readonly version: number;
  readonly transferFormat: TransferFormat;
  parseMessages(input: string, logger: ILogger): HubMessage[];
  writeMessage(message: HubMessage): string;
}

/** Hubwire's own: what became of a transport that was tried. */
export interface ConnectionAttempt {
  readonly transport: string;
  /** How long it took. */
  readonly ms: number;
  /** Why it failed; absent if it did not. */
  readonly error?: Error;
}

/** Hubwire's own: a call that can be called off, by which it rejects with an `AbortError` and the server is told. */
export interface ICall<T> extends Promise<T> {
  cancel(): void;
}

export declare class HubConnection {
  private constructor();
  /** Milliseconds of silence after which the server is taken for gone; 30,000 by default. */
  serverTimeoutInMilliseconds: number;
  /** Milliseconds between pings; 15,000 by default. */
  keepAliveIntervalInMilliseconds: number;
  readonly state: HubConnectionState;
  /** Null while not connected, and where negotiation is skipped. */
  readonly connectionId: string | null;
  /** Hubwire's own: the name of the transport in use, or null. */
  readonly transport: string | null;
  /** Hubwire's own: the transports that were tried for this connection, in order. */
  readonly attempts: ConnectionAttempt[];
  /** May be set; it is where the next start or reconnect goes. */
  get baseUrl(): string;
  set baseUrl(url: string);
  start(): Promise<void>;
  stop(): Promise<void>;
  /** Calls a hub method that does not answer. */
  send(methodName: string, ...args: any[]): Promise<void>;
  /** Calls a hub method and waits for its result. */
  invoke<T = any>(methodName: string, ...args: any[]): ICall<T>;
  /** Calls a hub method that answers with many items. */
  stream<T = any>(methodName: string, ...args: any[]): IStreamResult<T>;
  /** Names match without regard to case. What the handler returns is the answer where the server asked for one. Gives what undoes it (hubwire's own). */
  on(methodName: string, newMethod: (...args: any[]) => any): () => void;
  off(methodName: string): void;
  off(methodName: string, method: (...args: any[]) => void): void;
  onclose(callback: (error?: Error) => void): void;
  onreconnecting(callback: (error?: Error) => void): void;
  onreconnected(callback: (connectionId?: string) => void): void;
}

export declare class HubConnectionBuilder {
  configureLogging(logging: LogLevel | string | ILogger): HubConnectionBuilder;
  withUrl(url: string): HubConnectionBuilder;
  withUrl(url: string, transportType: HttpTransportType): HubConnectionBuilder;
  withUrl(url: string, options: IHttpConnectionOptions): HubConnectionBuilder;
  withHubProtocol(protocol: IHubProtocol): HubConnectionBuilder;
  /** By default after 0, 2,000, 10,000 and 30,000 ms. Each delay is shortened by up to a quarter, at random. */
  withAutomaticReconnect(): HubConnectionBuilder;
  withAutomaticReconnect(retryDelays: number[]): HubConnectionBuilder;
  withAutomaticReconnect(reconnectPolicy: IRetryPolicy): HubConnectionBuilder;
  withServerTimeout(milliseconds: number): HubConnectionBuilder;
  withKeepAliveInterval(milliseconds: number): HubConnectionBuilder;
  withStatefulReconnect(options?: IStatefulReconnectOptions): HubConnectionBuilder;
  build(): HubConnection;
}
