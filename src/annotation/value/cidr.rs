//! `cidr`: networks in the notation of RFC 4632 and RFC 4291.

use crate::image::host::ipv6_groups;

use super::number::decimal;

const NO_NETWORK: &str = "it must be a network such as `10.0.0.0/8` or `2001:db8::/32`";

/// A network.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Network {
    is_v4: bool,
    /// The address, from the highest bits on.
    groups: [u16; 8],
    length: u32,
}

impl Network {
    /// The network that a text is.
    ///
    /// # Errors
    ///
    /// Where it is none, its host bits are not zero, or it is one of IPv4 written as one of IPv6.
    pub(super) fn of(text: &str) -> Result<Self, &'static str> {
        let read = || {
            let (address, length) = text.split_once('/')?;
            let length = u32::try_from(decimal(length)?).ok()?;
            let (is_v4, groups) = match ipv4_groups(address) {
                Some(groups) => (true, groups),
                None => (false, ipv6_groups(address)?),
            };
            let most = if is_v4 { 32 } else { 128 };
            (length <= most).then_some(Self {
                is_v4,
                groups,
                length,
            })
        };
        let network = read().ok_or(NO_NETWORK)?;
        if matches!(network.groups, [0, 0, 0, 0, 0, 0xffff, ..]) {
            return Err("it is a network of IPv4, write it as one");
        }
        if first_bits(network.groups, network.length) != network.groups {
            return Err("its host bits must be zero");
        }
        Ok(network)
    }

    /// Whether another network is this one or lies in it.
    pub(super) fn contains(&self, other: &Self) -> bool {
        self.is_v4 == other.is_v4
            && self.length <= other.length
            && first_bits(other.groups, self.length) == self.groups
    }
}

/// The first two groups that an address of IPv4 is.
fn ipv4_groups(address: &str) -> Option<[u16; 8]> {
    let mut groups = [0; 8];
    let mut octets = address.split('.');
    for at in [0, 0, 1, 1] {
        let octet = decimal(octets.next()?)?;
        let group = groups.get_mut(at)?;
        *group = *group << 8 | u16::from(u8::try_from(octet).ok()?);
    }
    octets.next().is_none().then_some(groups)
}

/// An address with all bits zero but so many of the first.
fn first_bits(mut groups: [u16; 8], length: u32) -> [u16; 8] {
    for (group, before) in groups.iter_mut().zip((0..).step_by(16)) {
        let kept = length.saturating_sub(before).min(16);
        *group &= u16::MAX.checked_shl(16 - kept).unwrap_or(0);
    }
    groups
}

#[cfg(test)]
mod tests {
    use std::net::IpAddr;

    use proptest::prelude::*;

    use super::*;

    /// As the standard library reads it, which also knows IPv4 at the end of an address of IPv6.
    fn by_library(text: &str) -> bool {
        let Some((address, length)) = text.split_once('/') else {
            return false;
        };
        let (Ok(address), Ok(length)) = (address.parse(), length.parse::<u32>()) else {
            return false;
        };
        let (bits, width) = match address {
            IpAddr::V4(address) => (u128::from(address.to_bits()), 32),
            IpAddr::V6(address) if address.to_ipv4_mapped().is_some() => return false,
            IpAddr::V6(address) => (address.to_bits(), 128),
        };
        length <= width && bits.checked_shl(128 - width + length).unwrap_or(0) == 0
    }

    proptest! {
        #[test]
        fn reads_networks_as_the_standard_library_does(
            address in prop_oneof![
                "[0-9]{1,3}(\\.(0|[0-9]{1,3})){2,4}",
                "[0-9a-f]{0,4}(:(0|[0-9a-fA-F]{0,4})){1,8}",
                "::(ffff:)?(0|[0-9a-f]{1,2}):0",
            ],
            length in 0..140_u32,
        ) {
            let text = format!("{address}/{length}");
            prop_assert_eq!(Network::of(&text).is_ok(), by_library(&text), "{}", text);
        }
    }

    #[test]
    fn a_network_holds_what_lies_in_it() {
        let network = |text| Network::of(text).unwrap();
        for (outer, inner, holds) in [
            ("0.0.0.0/0", "10.0.0.0/8", true),
            ("10.0.0.0/8", "10.255.0.0/16", true),
            ("10.0.0.0/8", "0.0.0.0/0", false),
            ("10.0.0.0/8", "11.0.0.0/8", false),
            ("::/0", "0.0.0.0/0", false),
            ("2001:db8::/33", "2001:db8:7fff::/48", true),
            ("2001:db8::/33", "2001:db8:8000::/48", false),
            ("::1/128", "0:0:0:0:0:0:0:1/128", true),
        ] {
            assert_eq!(
                network(outer).contains(&network(inner)),
                holds,
                "{outer} {inner}"
            );
        }
    }
}
