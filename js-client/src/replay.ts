import { MessageType } from './hubwire';
import { sizeOf } from './platform';
import { P } from './promise';

/** How much unacknowledged may be under way before sends wait: SignalR's number, in characters or bytes. */
const BUFFER_SIZE = 100000;

// How soon what was received is acknowledged. SignalR's number.
const ACK_DELAY = 1000;

/**
 * What makes a connection survive the loss of its socket (version 2 of the hub protocol): messages are
 * counted on both sides, from 1, and kept until they are acknowledged.
 */
export function replayBuffer(write: (message: any) => any, put: (data: any) => any, limit: number) {
  // Each with what settles its send.
  const unacked: any[] = [];
  let held = 0;
  let acked = 0;
  let received = 0;
  let newest = 0;
  let isAway: any;
  let isWaiting: any;
  let ackTimer: any;

  function say(type: number, sequenceId: number) {
    write({ type: type, sequenceId: sequenceId });
  }

  return {
    /** Sends now, or when the socket is back; settles at once, or where too much is under way once it has arrived. */
    _send: function (data: any) {
      return new P<void>(function (resolve, reject) {
        unacked.push([data, resolve, reject]);
        held += sizeOf(data);
        if (held < (limit || BUFFER_SIZE)) resolve();
        if (!isAway) put(data);
      });
    },

    /** Whether a message is news. Those about the counting itself end here. */
    _accepts: function (message: any) {
      const id = message.sequenceId;
      const type = message.type;
      if (type === MessageType.Sequence) {
        if (!(id <= received + 1)) throw Error('Invalid payload: ' + id);
        received = id - 1;
        isWaiting = 0;
      }
      if (isWaiting) return;
      if (type === MessageType.Ack) {
        for (; unacked.length && acked < id; acked++) {
          const sent = unacked.shift();
          held -= sizeOf(sent[0]);
          sent[1]();
        }
      }
      if (type >= MessageType.Ping) return type < MessageType.Ack;
      ackTimer = ackTimer || setTimeout(function () {
        ackTimer = 0;
        if (!isAway) say(MessageType.Ack, newest);
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
      say(MessageType.Sequence, acked + 1);
      unacked.forEach(function (sent) { put(sent[0]); });
    },

    _drop: function (error: any) {
      clearTimeout(ackTimer);
      unacked.forEach(function (sent) { sent[2](error); });
    },
  };
}
