//! Hardware addresses of network devices.

use super::scalar::corrupt;
use super::{Code, Problem, Scalar, Sent, Shape, Value, scalar};

/// The hardware address (MAC) of a device: six pairs of hexadecimal digits. Clients may separate them with colons,
/// hyphens, dots or nothing; the address is kept as `00:04:13:a0:b1:c2`.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct MacAddress(String);

impl MacAddress {
    /// The address in lower case with colons.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    fn read(text: &str) -> Result<Self, Problem> {
        let rule = "must be 12 hexadecimal digits such as 00:04:13:a0:b1:c2";
        let wrong = || Problem::new(Code::InvalidFormat, rule).value(text);
        let digits = digits(text).ok_or_else(wrong)?;
        let pairs = digits.bytes().enumerate().fold(String::new(), |mut pairs, (i, digit)| {
            if i > 0 && i % 2 == 0 {
                pairs.push(':');
            }
            pairs.push(char::from(digit));
            pairs
        });
        Ok(Self(pairs))
    }
}

/// The twelve digits of an address, in lower case.
fn digits(text: &str) -> Option<String> {
    let written = [(':', 2), ('-', 2), ('.', 4)].into_iter().find(|(separator, _)| text.contains(*separator));
    let (separator, width) = written.unwrap_or((':', 12));
    let groups: Vec<&str> = text.split(separator).collect();
    let hexadecimal = |group: &&str| group.len() == width && group.bytes().all(|b| b.is_ascii_hexdigit());
    (groups.len() * width == 12 && groups.iter().all(hexadecimal)).then(|| groups.concat().to_ascii_lowercase())
}

impl Scalar for MacAddress {
    const TAKES: Shape = scalar!(
        /// The hardware address (MAC) of a device: 12 hexadecimal digits. Answers have the format `00:04:13:a0:b1:c2`;
        /// inputs may also use hyphens, dots or no separators.
        "MacAddress", String
    );

    fn parse(sent: &Sent) -> Result<Self, Problem> {
        Self::read(sent.text()?)
    }

    fn to_value(&self) -> Value {
        self.0.as_str().into()
    }

    fn from_value(value: Value) -> Result<Self, Problem> {
        match value {
            Value::Text(text) => Self::read(&text),
            _ => Err(corrupt("a hardware address")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<MacAddress, Problem> {
        MacAddress::parse(&text.into())
    }

    #[test]
    fn an_address_is_kept_in_one_way_however_it_is_written() {
        for text in ["00:04:13:a0:b1:c2", "00-04-13-A0-B1-C2", "0004.13a0.B1c2", "000413A0B1C2"] {
            let address = parse(text).unwrap();
            assert_eq!(address.as_str(), "00:04:13:a0:b1:c2", "{text}");
            assert_eq!(MacAddress::from_value(address.to_value()).unwrap(), address);
        }
    }

    #[test]
    fn anything_else_is_refused() {
        for bad in [
            "",
            "00:04:13:a0:b1",
            "00:04:13:a0:b1:c2:d3",
            "0:4:13:a0:b1:c2",
            "00:04:13:a0-b1:c2",
            "00:04:13:a0:b1:g2",
            "000413a0b1c",
            "0004:13a0:b1c2",
            "00 04 13 a0 b1 c2",
            "éé0413a0b1",
        ] {
            assert_eq!(parse(bad).unwrap_err().code, Code::InvalidFormat, "{bad:?}");
        }
    }
}
