//! Keys of each weakness, made here by its construction or published, and sound ones.
#![expect(clippy::arithmetic_side_effects, reason = "numbers that are chosen here")]

use alloc::vec::Vec;

use ca_x509::key::KeyKind;

use super::*;

fn rsa(modulus: &BigUint) -> PublicKey {
    PublicKey::from_rsa(&modulus.to_bytes_be(), &[1, 0, 1]).unwrap()
}

fn number(hexadecimal: &str) -> BigUint {
    BigUint::parse_bytes(hexadecimal.as_bytes(), 16).unwrap()
}

/// Big-endian, of a key that is not weak.
pub(crate) fn sound_modulus() -> Vec<u8> {
    number(OPENSSL_2048).to_bytes_be()
}

/// An odd number of so many bits, the highest two set, which nothing is known of.
fn odd(bits: u64, seed: u32) -> BigUint {
    let mut number = BigUint::from(3_u32);
    let mut step = seed;
    while number.bits() < bits {
        step = step.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        number = (number << 16) + (step >> 16);
    }
    let surplus = number.bits() - bits;
    (number >> surplus) | BigUint::from(1_u32)
}

/// The first number from here on, in steps, that no prime below the limit divides.
fn sifted(mut number: BigUint, step: &BigUint) -> BigUint {
    while primes().any(|prime| residue(&number, prime) == 0) {
        number += step;
    }
    number
}

/// As Infineon's library made them: a multiple of M and a power of 65537 modulo M.
fn roca_prime(bits: u64, power: u32) -> BigUint {
    let m: BigUint = primes().take_while(|prime| *prime <= ROCA_PRIME_MAX).product();
    let k = odd(bits - m.bits(), power) << 1;
    sifted(k * &m + BigUint::from(65_537_u32).modpow(&power.into(), &m), &m)
}

#[test]
fn sound_keys_of_openssl_are_taken() {
    for (text, bits) in [(OPENSSL_2048, 2048), (OPENSSL_3072, 3072), (OPENSSL_4096, 4096)] {
        let key = rsa(&number(text));
        assert_eq!(key.kind(), KeyKind::Rsa { bits });
        assert_eq!(check(&key), Ok(()));
    }
    assert_eq!(check(&PublicKey::from_ec_point(KeyKind::EcP256, &[4; 65]).unwrap()), Ok(()));
    assert_eq!(check(&PublicKey::from_ed25519([9; 32])), Ok(()));
}

#[test]
fn moduli_are_of_the_sizes_that_are_taken() {
    let sized = |bits| check(&rsa(&(sifted(odd(bits, 1), &2_u32.into()))));
    assert_eq!(sized(2047), Err(WeakKey::ModulusSize { got: 2047 }));
    assert_eq!(sized(2048), Ok(()));
    assert_eq!(sized(8192), Ok(()));
    assert_eq!(sized(8193), Err(WeakKey::ModulusSize { got: 8193 }));
}

#[test]
fn fips_186_5_a_1_1_exponents_are_odd_above_2_16_and_below_2_256() {
    let with = |exponent: &[u8]| {
        let modulus = number(OPENSSL_2048).to_bytes_be();
        check(&PublicKey::from_rsa(&modulus, exponent).unwrap())
    };
    let above = [&[1][..], &[0; 31], &[1]].concat();
    for good in [&[1, 0, 1][..], &[1, 0, 3], &[0xff; 32]] {
        assert_eq!(with(good), Ok(()), "{good:x?}");
    }
    for bad in [&[1][..], &[3], &[0xff, 0xff], &[1, 0, 0], &[1, 0, 2], &above] {
        assert!(matches!(with(bad), Err(WeakKey::Exponent { .. })), "{bad:x?}");
    }
    assert_eq!(with(&[1, 0, 2]), Err(WeakKey::Exponent { parity: "even", bits: 17 }));
}

#[test]
fn sp_800_89_5_3_3_no_factor_is_below_752() {
    for factor in primes() {
        let other = sifted(odd(2048, factor), &2_u32.into());
        assert_eq!(check(&rsa(&(&other * factor))), Err(WeakKey::SmallFactor { factor }));
    }
    assert_eq!(primes().count(), 133);
    assert_eq!(primes().last(), Some(751));
    let beyond = sifted(odd(2048, 757), &2_u32.into()) * 757_u32;
    assert_eq!(check(&rsa(&beyond)), Ok(()));
}

#[test]
fn cve_2017_15361_published_moduli_are_found() {
    for text in [ROCA_2048, ROCA_4096] {
        assert_eq!(check(&rsa(&number(text))), Err(WeakKey::Roca));
    }
}

#[test]
fn cve_2017_15361_moduli_of_its_construction_are_found() {
    for (bits, powers) in [(1024, [11, 12]), (1536, [5_000, 77]), (2048, [1, 1_000_003])] {
        let [p, q] = powers.map(|power| roca_prime(bits, power));
        assert_eq!(check(&rsa(&(&p * &q))), Err(WeakKey::Roca), "{bits}");
        // One prime of it, or a modulus that falls out of one subgroup, is none.
        assert_eq!(check(&rsa(&(&p * sifted(odd(bits, 5), &2_u32.into())))), Ok(()), "{bits}");
    }
}

#[test]
fn close_primes_are_found() {
    for bits in [1024, 2048] {
        for distance in [0_u32, 2, 1_000, 4_000_000_000] {
            let p = sifted(odd(bits, 3), &2_u32.into());
            let q = sifted(&p + distance, &2_u32.into());
            assert_eq!(check(&rsa(&(&p * &q))), Err(WeakKey::CloseFactors), "{bits}, {distance}");
        }
        // Half of the digits equal: 2^(bits / 2) apart are found at once, far more are not.
        let p = sifted(odd(bits, 3), &2_u32.into());
        let near = sifted(&p + (BigUint::from(1_u32) << (bits / 2)), &2_u32.into());
        assert_eq!(check(&rsa(&(&p * &near))), Err(WeakKey::CloseFactors), "{bits}");
        let far = sifted(&p + (BigUint::from(1_u32) << (bits / 2 + 8)), &2_u32.into());
        assert_eq!(check(&rsa(&(&p * &far))), Ok(()), "{bits}");
    }
}

#[test]
fn br_6_1_1_3_fermat_has_100_rounds() {
    // n = a² - b² where a is √n rounded up and then 99 or 100 more: found in the last round, or not.
    for (steps, expected) in [(99_u32, true), (100, false)] {
        let a = odd(1024, 8) << 1;
        let mut b = BigUint::sqrt(&(&a * (2 * steps + 1)));
        let n = loop {
            let n: BigUint = &a * &a - &b * &b;
            let first = n.sqrt() + 1_u32;
            if n.bit(0) && &a - first == steps.into() {
                break n;
            }
            b += 1_u32;
        };
        assert_eq!(has_close_factors(&n), expected, "{steps}");
    }
}

#[test]
fn squares_are_told_from_others() {
    for number in 0..100_000_u32 {
        let expected = number.isqrt().pow(2) == number;
        assert_eq!(is_square(&number.into()), expected, "{number}");
    }
    let root = odd(1024, 6);
    assert!(is_square(&(&root * &root)));
    assert!(!is_square(&(&root * &root + 1_u32)));
}

#[test]
fn rfc_8032_5_1_points_of_small_order_are_found() {
    let p: BigUint = (BigUint::from(1_u32) << 255) - 19_u32;
    let d = {
        let inverse = BigUint::from(121_666_u32).modpow(&(&p - 2_u32), &p);
        (&p - (inverse * 121_665_u32) % &p) % &p
    };
    let mut orders = Vec::new();
    for octets in SMALL_ORDER_Y {
        let y = BigUint::from_bytes_le(&octets) % &p;
        let y2 = &y * &y % &p;
        // What doubling says of the order: y² = 1 for 1 and 2, y = 0 for 4, d·y⁴ + 2·y² = 1 for 8.
        orders.push(match () {
            () if y == 1_u32.into() => 1,
            () if y2 == 1_u32.into() => 2,
            () if y == 0_u32.into() => 4,
            () if (&d * &y2 * &y2 + &y2 * 2_u32) % &p == 1_u32.into() => 8,
            () => 0,
        });
        for sign in [0, 0x80] {
            let mut octets = octets;
            octets[31] |= sign;
            assert_eq!(check(&PublicKey::from_ed25519(octets)), Err(WeakKey::SmallOrder));
        }
    }
    assert_eq!(orders, [4, 4, 1, 1, 2, 8, 8]);
    // The base point.
    let mut base = [0x66; 32];
    base[0] = 0x58;
    assert_eq!(check(&PublicKey::from_ed25519(base)), Ok(()));
}

/// Moduli that `openssl genrsa` made.
const OPENSSL_2048: &str = "\
    d23028a7a24607adb7388f48fd05a752b80ece085bb1b67254242249530f364977e10fe30401391cef2d93c9b87d80d84c89\
    e791a57d67ede312c6ee791cc849c69d63b2b679d8a0b3301b00fcf6ef518e40087d2f1b57a6aba6c81f032cba37e0d113a5\
    8a1f89bd9a4e66d5c13c81c19d4f66bac0327961e220c16fec785a11f4a2872c7ad155997a97d34945835c40f39cdebf48f4\
    dd93e16ca238c6e23e01c28e9797c26d2964f255be67060410dd4feef50909d035f6646e139fccfdf996e537a773bf67709a\
    0f2d3f7221ea2da9fd6179c808bfa9be8c7031a53eb2bef27d96df3e2435cbcc8d6689e51d2bd58e90cfb56ad85d746140f8\
    79b91b20e1a9\
";
/// See [`OPENSSL_2048`].
const OPENSSL_3072: &str = "\
    d896e70f3ad87e1b42516f10f5dc89e025a19f73c57e931e36a7320400885fd6e6e116c0de88f0d7b9f8d5f09fd21781e551\
    c0cd39c30bf64050ea88334850740eccebd45714def8d9dfa160a9356a5ae6756406d64222cb3c78ab4834817af476c9e144\
    60a90825848ae829966dbf729c3a2688d1ea0d11bfa1b9b4cf5d0c38c962a16e960fd0ef9199dd98359ef9a9af51acca2179\
    7e842c40e89f52cb93008d5aaeaf17298b3663fe86e4a30436c4f26d17e080217b87b6acfa1643755f00c3894793c6ed5835\
    61918619ea3b538d796a06a70d295a67e18d2b399d411280b7d13d737ac70f17c54daafb5a4431b33a7fe8aab07184b54634\
    594950697f39e9161f1d063bab5758c34a8b0b44e6fbd516f3006d8c71986716c59fe15ab99ecc8dad24ff314f28d169bcbc\
    860b72a4437b1910cf26997fb085a8baeb75e25187b739a9661c313f9285b656a390c68f0bc77d01af239699c0f1e4ee9c2a\
    287377f405dd040406c1b2f00dd270df9aef47244ea0abc1ea8588d039cfb51b6385\
";
/// See [`OPENSSL_2048`].
const OPENSSL_4096: &str = "\
    94150f08c4d56b3b1a0abc4e3c15df3546fa393b2d13426281f68cbf907e68cf596163c57368d5e808bd237af24bcc7a8fc8\
    f84c94e0d90a673b34ffc953c4dcbab3e946d534c32114716719a43d13250f1b5a61189080244354c98a3eeb6a24dd22dda3\
    35545fef9e50270f1f8fc2bfee351bca97984e2d1cfff82be2229c53ac8e117d00b1dc8a1255409a64c6cb4518d62ecebd77\
    a63dff988d977e7369a30920220744fedfeb3a060798f9db69cb4700f08aab382b5be645dc039fe94986638b50ab6c49d4bf\
    fcb682868e9b2921ab5bcb998566e2d6c4c5e6f070497d4fe4fab21120ebda943431637b8e43ddc9caeb61cb4d146229139f\
    9175279191feb1402b807d7a418db4a3857a74af12f53e0e1707e7853d0aaf628fd5bcf6a468e6ec69e1391d835e0688bf9f\
    52d31cffa8683864bc99b4555f6f7f00f21163ce18473bf3e56d7f006dd1600d639d2e85623c5f9b2ed5fc77b8812bfdc57d\
    143468cdcc58133905683376bf7757a1223e987ee24ca860e14c6f7dff579a9c4c9b0985c024663368606afb10e612c4a0de\
    7527171fcd6d43372cc473ce74939651075b6642d3173973d1d4d9172afff7c76595dcf08982e2dc2e7d03d3e2db15721f3d\
    3b6868ca9c522c003b4e6a9e743e8f2d9c5f5947bad7af1303a76f83ac86a05b026fd181572a36bb103d6354f820d9073fcd\
    ff844bf740bb24515e1effa9\
";
/// Test vector `mod03` of the discoverers' detector (crocs-muni/roca, MIT).
const ROCA_2048: &str = "\
    9dcd7420e420c270a68060eb8b5aa7457a9f6648f86fafed2775cc1f79ae962f1e63f1b9e51c55f9ea6fdc7332e9b0058c9f\
    f2eb1fc89855029cf6aafe21e689feb38ac9ffb12f1ce371bb5d0e9aae64161abce74b4244bf68f1edb4411f756a097c8929\
    c14740245ea355f8332d1aa36bb50c7dcb4505da8de02e4e53d38f8df06097da7524df0df93db48eac8cc4af2d3a16257eb2\
    b2adca6ba464e5974fa92550d31b1babf161e7692d00b86e3dd886ecab4abfbe1a8f8cc263ff4af55cdb45f4249a5193925f\
    5e983d762f0b6800943eb0267b08f42ed311ce1f5c86eacbc8ce4d3cb7a2fee1ef5641423a1cf4114e5ecf50034a60a41252\
    3af9e6f4aa11\
";
/// Test vector `mod09` of the same.
const ROCA_4096: &str = "\
    c39a928060db513091b604eadad719ed94e246de8fe15fb76efab5cfabbc3fc5486fe2ef2a5a5a8472f0c5be089edec071fb\
    284df4467fa1fa6c8f0b013d3173fe636744666289bf67b5c998c87b59015d94bb9c20d30a70cfe275e42fd3c6f44d4c5252\
    f9c6b6803f92afd928153bdb90ef08ede934c076f33543f9a1c362130929b9a1324c5ebee6831c251c48a7dee24d75ac538c\
    e9a58d7ff09c12a5d772b6c33f4265a4e4830bd73ad221d24d4d3f092e24279c15fc1d10ca69561f4f071313c86b11ab36a5\
    dd28df392f581834eecfdc9e183a466198e33cf01d273bd41d4b7e288cc66f24eba04676bd2090f6f73830336a317bc2d423\
    b558b9d8f632e12af7b0e7fc9bdb69282e81fdf41a68cf4e85f01fc343dfe52a3ad01f67459d380165159e1209ef1ce4ecd2\
    6648e061faf0896551f7f1f92d6b6a19af0ab7f1f092d7e168bcec0ee478b8618489a8967a71e5e0a5c197662d8e9756f090\
    a177109d4a34ae20a18c5629efea5ca66623960fc325f779cdae891a7ec051f00e837b8f2fb9fd19f6a35832ca0e5ce83759\
    72c42a308f7d5ca0434022c131874087e826ed737994e46fbe44f5f1e908934f6033e6851ebd05447dddbaa51c0671849caf\
    d3a503cdc150101914edf33b140c168c3dbea4791e74ea619ab1b31c90691de1d425b746b222a2b26ed54222cbcaf27a054f\
    9f66f77be6466198c33e37dd\
";
