/**
 * Ends a connection the rude way, with a reset where there can be one.
 * Node 20 loses the handle of a socket that is reset while it says its goodbye, and a process with such a handle spins at its end, forever.
 */
export function reset(socket) {
  if (socket.writableEnded) socket.destroy();
  else socket.resetAndDestroy();
}
