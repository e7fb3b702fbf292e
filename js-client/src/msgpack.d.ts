/** The types of hubwire/msgpack. */

import { HubMessage, IHubProtocol, ILogger, TransferFormat } from 'hubwire';

/**
 * SignalR's hub protocol in MessagePack, for `withHubProtocol`. Integers take their shortest form, a `Date` is a timestamp,
 * and an `ArrayBuffer` or a view of one is bytes, which come back as a `Uint8Array`.
 */
export declare class MessagePackHubProtocol implements IHubProtocol {
  constructor();
  readonly name: string;
  readonly version: number;
  readonly transferFormat: TransferFormat;
  parseMessages(input: ArrayBuffer, logger: ILogger): HubMessage[];
  writeMessage(message: HubMessage): ArrayBuffer;
}
