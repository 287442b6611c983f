//! Lets ureq read an early answer: a server that refuses a long body answers and closes the connection before the whole
//! request is sent.

use std::io::ErrorKind;

use ureq::Error;
use ureq::unversioned::transport::{Buffers, ConnectionDetails, Connector, NextTimeout, Transport};

/// Wraps the connections of another connector.
#[derive(Debug)]
pub(super) struct EarlyAnswerConnector;

/// A connection whose answer is still read after the server has stopped reading the request.
#[derive(Debug)]
pub(super) struct EarlyAnswerTransport<T>(T);

impl<In: Transport> Connector<In> for EarlyAnswerConnector {
    type Out = EarlyAnswerTransport<In>;

    fn connect(
        &self,
        _: &ConnectionDetails<'_>,
        chained: Option<In>,
    ) -> Result<Option<EarlyAnswerTransport<In>>, Error> {
        Ok(chained.map(EarlyAnswerTransport))
    }
}

impl<T: Transport> Transport for EarlyAnswerTransport<T> {
    fn buffers(&mut self) -> &mut dyn Buffers {
        self.0.buffers()
    }

    fn transmit_output(&mut self, amount: usize, timeout: NextTimeout) -> Result<(), Error> {
        match self.0.transmit_output(amount, timeout) {
            // The answer, if there is one, is read afterwards.
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
