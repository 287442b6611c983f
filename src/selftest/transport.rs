//! What ureq does not do by itself: it hears an answer that comes before the whole request is sent, from a server that
//! then closes the connection, as one does that refuses a long body.

use std::io::ErrorKind;

use ureq::Error;
use ureq::unversioned::transport::{Buffers, ConnectionDetails, Connector, NextTimeout, Transport};

/// Wraps the connections of another connector.
#[derive(Debug)]
pub(super) struct Patient;

/// A connection on which the other side may have stopped to listen: what it has said is still read.
#[derive(Debug)]
pub(super) struct Listening<T>(T);

impl<In: Transport> Connector<In> for Patient {
    type Out = Listening<In>;

    fn connect(&self, _: &ConnectionDetails<'_>, chained: Option<In>) -> Result<Option<Listening<In>>, Error> {
        Ok(chained.map(Listening))
    }
}

impl<T: Transport> Transport for Listening<T> {
    fn buffers(&mut self) -> &mut dyn Buffers {
        self.0.buffers()
    }

    fn transmit_output(&mut self, amount: usize, timeout: NextTimeout) -> Result<(), Error> {
        match self.0.transmit_output(amount, timeout) {
            // Whether there is an answer shows when it is read.
            Err(Error::Io(error)) if [ErrorKind::BrokenPipe, ErrorKind::ConnectionReset].contains(&error.kind()) => {
                Ok(())
            }
            sent => sent,
        }
    }

    fn await_input(&mut self, timeout: NextTimeout) -> Result<bool, Error> {
        self.0.await_input(timeout)
    }

    fn is_open(&mut self) -> bool {
        self.0.is_open()
    }

    fn is_tls(&self) -> bool {
        self.0.is_tls()
    }
}
