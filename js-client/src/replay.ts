import { sizeOf } from './platform';
import { P } from './promise';
import { Message } from './wire';

/** How much unacknowledged may be under way before sends wait: SignalR's number, in characters or bytes. */
const BUFFER_SIZE = 100000;

// How soon what was received is acknowledged. SignalR's number.
const ACK_DELAY = 1000;

/**
 * What makes a connection survive the loss of its socket (version 2 of the hub protocol): messages are
 * counted on both sides, from 1, and kept until they are acknowledged.
 */
export function replayBuffer(protocol: any, write: (data: any) => any, limit: number) {
  const unacked: any[] = [];
  let waiting: any[] = [];
  let held = 0;
  let acked = 0;
  let received = 0;
  let newest = 0;
  let isAway: any;
  let isWaiting: any;
  let ackTimer: any;

  function say(type: number, sequenceId: number) {
    write(protocol.writeMessage({ type: type, sequenceId: sequenceId }));
  }

  /** Settles the sends that wait for room: resolves those for which there is some, rejects all by an error. */
  function release(error?: any) {
    if (!error && held >= (limit || BUFFER_SIZE)) return;
    waiting.forEach(function (settlers) { settlers[error ? 1 : 0](error); });
    waiting = [];
  }

  return {
    /** Sends now, or when the socket is back; settles when there is room for more. */
    _send: function (message: any) {
      const data = protocol.writeMessage(message);
      held += sizeOf(data);
      unacked.push(data);
      if (!isAway) write(data);
      return new P(function (resolve, reject) {
        waiting.push([resolve, reject]);
        release();
      });
    },

    /** Whether a message is news. Those about the counting itself end here. */
    _accepts: function (message: any) {
      const id = message.sequenceId;
      const type = message.type;
      if (type === Message.Sequence) {
        if (!(id <= received + 1)) throw Error('Invalid sequence ' + id);
        received = id - 1;
        isWaiting = 0;
      }
      if (isWaiting) return;
      if (type === Message.Ack) {
        for (; unacked.length && acked < id; acked++) held -= sizeOf(unacked.shift());
        release();
      }
      if (type >= Message.Ping) return type < Message.Ack;
      ackTimer = ackTimer || setTimeout(function () {
        ackTimer = 0;
        if (!isAway) say(Message.Ack, newest);
      }, ACK_DELAY);
      return ++received > newest && (newest = received);
    },

    /** Whether its loss can be made good; another one on the way back cannot. */
    _lost: function () {
      return !isAway && (isAway = isWaiting = 1);
    },

    /** The first thing on a new socket: which message comes first, and those that may not have arrived. */
    _resume: function () {
      isAway = 0;
      say(Message.Sequence, acked + 1);
      unacked.forEach(write);
    },

    _drop: function (error: any) {
      clearTimeout(ackTimer);
      release(error);
    },
  };
}
