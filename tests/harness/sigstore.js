// Checks proofs of entries with Sigstore's own verifier, @sigstore/verify: the checkpoint's signature
// and the Merkle inclusion. Arguments: the log's verifier key, then proof files. Prints a line for each:
// "good", or why not.
const crypto = require('crypto');
const fs = require('fs');
const {verifyTLogInclusion} = require('@sigstore/verify/dist/tlog');

const SPKI_ED25519 = Buffer.from('302a300506032b6570032100', 'hex');

// name+hex8(key id)+base64(01 ‖ public key); base64 has '+' too.
function authority(line) {
  const [name, id] = line.split('+', 2);
  const key = Buffer.from(line.slice(name.length + id.length + 2), 'base64').subarray(1);
  const publicKey = crypto.createPublicKey(
      {key: Buffer.concat([SPKI_ED25519, key]), format: 'der', type: 'spki'});
  return {logID: Buffer.from(id, 'hex'), baseURL: name, publicKey};
}

function entry(text) {
  const blank = text.indexOf('\n\n');
  const [form, extra, index, ...hashes] = text.slice(0, blank).split('\n');
  if (form !== 'c2sp.org/tlog-proof@v1') throw new Error('not a proof of an entry');
  return {
    canonicalizedBody: Buffer.from(extra.slice('extra '.length), 'base64'),
    inclusionProof: {
      logIndex: index.slice('index '.length),
      hashes: hashes.map((hash) => Buffer.from(hash, 'base64')),
      checkpoint: {envelope: text.slice(blank + 2)},
    },
  };
}

const [vkey, ...proofs] = process.argv.slice(2);
const authorities = fs.readFileSync(vkey, 'utf8').trim().split('\n').map(authority);
for (const proof of proofs) {
  try {
    verifyTLogInclusion(entry(fs.readFileSync(proof, 'utf8')), authorities);
    console.log('good');
  } catch (error) {
    console.log(error.message);
  }
}
