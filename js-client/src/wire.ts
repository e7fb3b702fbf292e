/** Numbers of the hub protocol and of the options, put in place by the compiler. */

export const enum Message {
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

export const enum Level {
  Debug = 1,
  Information = 2,
  Warning = 3,
  Error = 4,
}

export const enum Format {
  Text = 1,
  Binary = 2,
}

/** Ends every JSON message, and both halves of the handshake whatever the protocol. */
export const RECORD_SEPARATOR = '\x1e';
