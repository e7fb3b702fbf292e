// Socket.IO in Node as its documentation has it. PORT, and COMPRESSION=on, which it leaves off unless asked.

import { createServer } from 'node:http';

import { Server } from 'socket.io';

const http = createServer();
const perMessageDeflate = process.env.COMPRESSION === 'on' && { threshold: 512, serverNoContextTakeover: true, clientNoContextTakeover: true };
const io = new Server(http, { perMessageDeflate });

io.on('connection', (socket) => {
  socket.on('echo', (text, answer) => answer(text));
  socket.on('broadcast', (text) => io.emit('message', text));
  socket.on('join', (group, answer) => {
    socket.join(group);
    answer(group);
  });
  socket.on('to-group', (group, text) => io.to(group).emit('message', text));
  // It has no streams, so what follows one another is emitted one by one.
  socket.on('ticks', (items) => {
    let item = 0;
    const clock = setInterval(() => {
      socket.emit('tick', item);
      item += 1;
      if (item === items) {
        clearInterval(clock);
        socket.emit('end', '');
      }
    }, 100);
  });
});

// Whoever started it for a measurement may be killed.
if (process.env.END_WITH_STDIN) process.stdin.on('end', () => process.exit()).resume();

http.listen(process.env.PORT, '127.0.0.1', () => console.log(`http://127.0.0.1:${http.address().port}`));
