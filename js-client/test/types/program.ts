// A program as applications write it. It is compiled, against two packages, and never run.

import {
  AbortError, DefaultHttpClient, HttpClient, HttpError, HttpRequest, HttpResponse, HttpTransportType, HubConnection, HubConnectionBuilder,
  HubConnectionState, HubMessage, IHttpConnectionOptions, IHubProtocol, ILogger, IRetryPolicy, IStreamResult, ISubscription, ITransport,
  InvocationMessage, JsonHubProtocol, LogLevel, MessageHeaders, MessageType, NullLogger, RetryContext, Subject, TimeoutError, TransferFormat, VERSION,
} from '@microsoft/signalr';
import { MessagePackHubProtocol } from '@microsoft/signalr-protocol-msgpack';

interface Message {
  user: string;
  text: string;
}

class Patient implements IRetryPolicy {
  nextRetryDelayInMilliseconds(context: RetryContext): number | null {
    return context.previousRetryCount > 5 || context.elapsedMilliseconds > 60_000 || context.retryReason instanceof HttpError ? null : 1_000;
  }
}

class Logger implements ILogger {
  log(level: LogLevel, message: string): void {
    if (level >= LogLevel.Warning) console.warn(LogLevel[level], message);
  }
}

class Client extends DefaultHttpClient {
  async send(request: HttpRequest): Promise<HttpResponse> {
    const headers: MessageHeaders = { ...request.headers, 'X-Tenant': 'acme' };
    const response = await super.send({ ...request, headers });
    return new HttpResponse(response.statusCode, response.statusText ?? '', (response.content as string) ?? '');
  }
}

class Bare extends HttpClient {
  async send(request: HttpRequest): Promise<HttpResponse> {
    request.abortSignal!.onabort = () => {};
    return new HttpResponse(200);
  }
}

class Pipe implements ITransport {
  onreceive: ((data: string | ArrayBuffer) => void) | null = null;
  onclose: ((error?: Error) => void) | null = null;
  async connect(url: string, format: TransferFormat): Promise<void> {
    if (format === TransferFormat.Text) this.onreceive?.(url);
  }
  async send(data: any): Promise<void> {}
  async stop(): Promise<void> {
    this.onclose?.();
  }
}

class Upper implements IHubProtocol {
  readonly name = 'upper';
  readonly version = 1;
  readonly transferFormat = TransferFormat.Text;
  private readonly json = new JsonHubProtocol();
  parseMessages(input: string | ArrayBuffer, logger: ILogger): HubMessage[] {
    return this.json.parseMessages(input as string, logger);
  }
  writeMessage(message: HubMessage): string {
    if (message.type === MessageType.Invocation) {
      const invocation: InvocationMessage = message;
      return invocation.target + invocation.arguments.length;
    }
    return this.json.writeMessage(message);
  }
}

const options: IHttpConnectionOptions = {
  accessTokenFactory: async () => 'token',
  headers: { 'X-Tenant': 'acme' },
  httpClient: new Client(new Logger()),
  logMessageContent: false,
  logger: LogLevel.Information,
  skipNegotiation: false,
  timeout: 10_000,
  transport: HttpTransportType.WebSockets | HttpTransportType.LongPolling,
  withCredentials: true,
};

export const connection: HubConnection = new HubConnectionBuilder()
  .withUrl('/chat', options)
  .withUrl('/chat', HttpTransportType.ServerSentEvents)
  .withUrl('/chat', { transport: new Pipe(), httpClient: new Bare(), accessTokenFactory: () => 'token' })
  .configureLogging(LogLevel.Debug)
  .configureLogging('warn')
  .configureLogging(NullLogger.instance)
  .withHubProtocol(new Upper())
  .withHubProtocol(new MessagePackHubProtocol())
  .withAutomaticReconnect(new Patient())
  .withKeepAliveInterval(5_000)
  .withServerTimeout(10_000)
  .withStatefulReconnect({ bufferSize: 1_000 })
  .build();

export async function talk(): Promise<string> {
  connection.on('message', (message: Message) => message.text);
  connection.on('sum', async (a: number, b: number) => a + b);
  connection.off('message');
  connection.onclose((error?: Error) => console.log(error?.message));
  connection.onreconnecting((error) => console.log(error));
  connection.onreconnected((id?: string) => console.log(id));
  connection.serverTimeoutInMilliseconds = 1;
  connection.keepAliveIntervalInMilliseconds = 1;
  connection.baseUrl = `${connection.baseUrl}?x=1`;
  try {
    await connection.start();
  } catch (error) {
    if (error instanceof AbortError || error instanceof TimeoutError) return error.name;
    if (error instanceof HttpError) return String(error.statusCode);
  }
  const numbers = new Subject<number>();
  const sum: Promise<number> = connection.invoke<number>('Sum', numbers);
  numbers.next(1);
  numbers.complete();
  numbers.error(new Error('no'));
  await connection.send('Tell', await sum);
  const stream: IStreamResult<Message> = connection.stream<Message>('Feed');
  const subscription: ISubscription<Message> = stream.subscribe({
    next: (message) => console.log(message.user),
    error: (error: any) => console.error(error),
    complete: () => {},
  });
  subscription.dispose();
  await connection.stop();
  return connection.state === HubConnectionState.Disconnected ? VERSION : connection.connectionId ?? '';
}
