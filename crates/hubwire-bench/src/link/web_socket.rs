//! A WebSocket.

use std::io;

use mio::event::Event;

use super::{Came, Net, Socket, Take};
use crate::error::SwarmError;
use crate::frame::{self, Frame, FrameError, Opcode};

#[derive(Debug)]
pub(crate) struct WebSocket {
    socket: Socket,
    /// The beginning of a message in several frames, and whether it is compressed.
    begun: Option<(Vec<u8>, bool)>,
}

impl WebSocket {
    pub(super) fn new(socket: Socket) -> Self {
        Self { socket, begun: None }
    }

    pub(super) fn socket(&mut self) -> &mut Socket {
        &mut self.socket
    }

    pub(super) fn receive(
        &mut self,
        event: &Event,
        net: &mut Net<'_>,
        take: Take<'_>,
    ) -> Result<(), SwarmError> {
        let Self { socket, begun } = self;
        socket.read(event.is_read_closed(), net.scratch, &mut |arrived| {
            let mut rest = arrived;
            while let Some((frame, taken)) = frame::read(rest)? {
                rest = &rest[taken..];
                let Frame { is_final, is_compressed, payload, .. } = frame;
                match (frame.opcode, begun.as_mut()) {
                    (Opcode::Text | Opcode::Binary, None) if is_final => {
                        take(Came::message(payload, is_compressed))?;
                    }
                    (Opcode::Text | Opcode::Binary, None) => {
                        *begun = Some((payload.to_vec(), is_compressed));
                    }
                    (Opcode::Continuation, Some((message, is_compressed))) => {
                        message.extend(payload);
                        if is_final {
                            take(Came::message(message, *is_compressed))?;
                            *begun = None;
                        }
                    }
                    (Opcode::Text | Opcode::Binary, Some(_)) | (Opcode::Continuation, None) => {
                        return Err(FrameError::Fragment.into());
                    }
                    (Opcode::Ping, _) => take(Came::Ping(payload))?,
                    (Opcode::Pong, _) => {}
                    (Opcode::Close, _) => {
                        let said = String::from_utf8_lossy(payload).into_owned();
                        return Err(SwarmError::Closed(said));
                    }
                }
            }
            Ok(arrived.len() - rest.len())
        })
    }

    pub(super) fn send(&mut self, waiting: &mut Vec<u8>) -> io::Result<()> {
        self.socket.write(waiting)
    }
}
