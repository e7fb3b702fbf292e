import { P } from './promise';
import { Message } from './wire';

/** How much unacknowledged may be under way before sends wait: SignalR's number, in characters or bytes. */
const BUFFER_SIZE = 100000;

// How soon what was received is acknowledged. SignalR's number.
const ACK_DELAY = 1000;

/**
 * What makes a connection survive the loss of its socket (version 2 of the hub protocol): messages are
 * counted on both sides, and kept until they are acknowledged.
 */
export function replayBuffer(protocol: any, write: (data: any) => any, limit: number) {
  let unacked: any[] = [];
  const waiting: any[] = [];
  let held = 0;
  let sent = 0;
  let next = 1;
  let latest = 0;
  let isAway: any;
  let isWaiting: any;
  let ackTimer: any;

  function say(type: number, sequenceId: number) {
    write(protocol.writeMessage({ type: type, sequenceId: sequenceId }));
  }

  function release(how: number, error?: any) {
    waiting.splice(0).forEach(function (settlers) { settlers[how](error); });
  }

  function hasRoom() {
    return held < (limit || BUFFER_SIZE);
  }

  return {
    /** Sends now, or when the socket is back; settles when there is room for more. */
    _send: function (message: any) {
      const data = protocol.writeMessage(message);
      const size = data.length || data.byteLength;
      held += size;
      unacked.push({ _id: ++sent, _data: data, _size: size });
      if (!isAway) write(data);
      return new P(function (resolve, reject) {
        if (hasRoom()) resolve(0 as any);
        else waiting.push([resolve, reject]);
      });
    },

    /** Whether a message is news. Those about the counting itself end here. */
    _accepts: function (message: any) {
      const id = message.sequenceId;
      if (message.type === Message.Sequence) {
        if (id > next) throw Error("Sequence ID greater than what was received.");
        next = id;
        isWaiting = 0;
      }
      if (isWaiting) return;
      if (message.type === Message.Ack) {
        unacked = unacked.filter(function (entry) {
          if (entry._id > id) return true;
          held -= entry._size;
        });
        if (hasRoom()) release(0);
      }
      if (message.type >= Message.Ping) return message.type < Message.Ack;
      ackTimer = ackTimer || setTimeout(function () {
        ackTimer = 0;
        if (!isAway) say(Message.Ack, latest);
      }, ACK_DELAY);
      return next++ > latest && (latest = next - 1);
    },

    _lost: function () {
      isAway = isWaiting = 1;
    },

    /** The first thing on a new socket: which message comes first, and those that may not have arrived. */
    _resume: function () {
      isAway = 0;
      say(Message.Sequence, unacked.length ? unacked[0]._id : sent + 1);
      unacked.forEach(function (entry) { write(entry._data); });
    },

    _drop: function (error: any) {
      clearTimeout(ackTimer);
      release(1, error);
    },
  };
}
