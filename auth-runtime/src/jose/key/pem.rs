//! PEM (RFC 7468): the one key in it.

use pem::Pem;
use zeroize::Zeroizing;

use super::der;
use crate::jose::Algorithm;

/// The text in front of a block's label.
const BEGIN: &[u8] = b"-----BEGIN ";

/// A block of a PEM. Its content is cleared from memory when it is dropped.
pub(super) struct Block {
    pub(super) label: String,
    pub(super) content: Zeroizing<Vec<u8>>,
}

/// The block with the key. There is one block and no other, so that no reader takes another one for the key. `EC PARAMETERS` may be in
/// front, if they name the curve of the algorithm: `openssl ecparam -genkey` writes them.
pub(super) fn key_block(algorithm: Algorithm, text: &[u8]) -> Result<Block, String> {
    let mut blocks = blocks(text)?;
    let begins = text.windows(BEGIN.len()).filter(|window| *window == BEGIN).count();
    let key = match (blocks.pop(), blocks.pop()) {
        (Some(key), None) if begins == 1 => key,
        (Some(key), Some(parameters)) if begins == 2 && parameters.label == "EC PARAMETERS" => {
            der::check_ec_parameters(algorithm, &parameters.content).map_err(|reason| {
                format!("the PEM begins with `EC PARAMETERS` that do not fit {algorithm}: {reason}")
            })?;
            key
        }
        (None, _) => return Err(
            "this is not a PEM: it must begin with `-----BEGIN`, as the file does, and have its line breaks"
                .into(),
        ),
        _ => {
            return Err(format!(
                "the PEM has {begins} blocks, and only one of them could be used: give the block of the key alone, from \
                 `-----BEGIN` to `-----END`"
            ));
        }
    };
    match key.label.as_str() {
        "CERTIFICATE" => {
            Err("this is a certificate: extract its key with `openssl x509 -pubkey -noout -in FILE`".into())
        }
        "ENCRYPTED PRIVATE KEY" => Err(ENCRYPTED.into()),
        _ => Ok(key),
    }
}

const ENCRYPTED: &str =
    "this private key is encrypted with a password: decrypt it with `openssl pkcs8 -topk8 -nocrypt -in FILE`";

fn blocks(text: &[u8]) -> Result<Vec<Block>, String> {
    let blocks = pem::parse_many(text).map_err(|_| {
        "this is not a PEM: it must have the lines of the file, from `-----BEGIN` to `-----END`, with its line breaks".to_owned()
    })?;
    // RFC 1421 §4.6.1.1: `Proc-Type: 4,ENCRYPTED`.
    if blocks.iter().any(|block| block.headers().iter().any(|(name, _)| name == "Proc-Type")) {
        return Err(ENCRYPTED.into());
    }
    Ok(blocks
        .into_iter()
        .map(|block: Pem| Block { label: block.tag().to_owned(), content: block.into_contents().into() })
        .collect())
}
