#pragma once

#include <string>

#include "base/random.h"

// How keys, secrets and names look; contract.md 2.
namespace tidemark::service {

// 8 lower-case letters, as Atlas makes them.
std::string RandomPublicKey(RandomSource& random);
// 16 random bytes in the 8-4-4-4-12 form of an Atlas private key.
std::string RandomPrivateKey(RandomSource& random);
// "mdb_sa_sk_" and 64 hex digits.
std::string RandomClientSecret(RandomSource& random);
// Hex SHA-256, as tokens and client secrets are stored.
std::string HashText(const std::string& text);

// ^[\p{L}\p{N}\-_.(),:&@+']{1,64}$ of the Group schema, plus spaces inside; letters beyond ASCII
// are taken as they are. For organizations, too.
bool IsDisplayName(const std::string& name);

}  // namespace tidemark::service
