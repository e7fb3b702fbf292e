// A Socket.IO server with its defaults.

import { createServer } from 'node:http';

import { Server } from 'socket.io';

const http = createServer();
new Server(http);
http.listen(0, '127.0.0.1', () => console.log(`127.0.0.1:${http.address().port}`));
