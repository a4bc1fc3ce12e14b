#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/bytes.h"
#include "base/random.h"

// Pure byte transforms; no I/O, no state between calls. Every function may be called from any
// thread.
namespace tidemark::codec {

inline constexpr std::size_t kDigestSize = 32;  // bytes, SHA-256
using Digest = std::array<std::uint8_t, kDigestSize>;

Digest Sha256(ByteView bytes);
Digest HmacSha256(ByteView key, ByteView bytes);

inline constexpr std::size_t kSha1Size = 20;  // bytes
// For names that others make of it (mongodump's file names), never for integrity.
std::array<std::uint8_t, kSha1Size> Sha1(ByteView bytes);
// Lower-case hex; for HTTP digest authentication only (RFC 7616), never for integrity.
std::string Md5Hex(std::string_view text);

inline constexpr std::size_t kAeadKeySize = 32;    // bytes
inline constexpr std::size_t kAeadNonceSize = 12;  // bytes
inline constexpr std::size_t kAeadTagSize = 16;    // bytes
// What sealing adds to the plaintext.
inline constexpr std::size_t kSealOverhead = kAeadNonceSize + kAeadTagSize;

using AeadKey = std::array<std::uint8_t, kAeadKeySize>;

// AES-256-GCM. Result: nonce (12, fresh from `random`) | ciphertext | tag (16). `associated` is
// bound, not stored. A key may seal 2^32 messages before a random nonce repeats with probability
// over 2^-32 (NIST SP 800-38D 8.3).
Bytes Seal(const AeadKey& key, ByteView associated, ByteView plaintext, RandomSource& random);
// Throws kCorrupt when key, associated data or one bit of `sealed` is not as it was.
Bytes Open(const AeadKey& key, ByteView associated, ByteView sealed);

// scrypt (RFC 7914) with r = 8 and p = 1. Takes 2^log_cost KiB of memory and about 3 us for each of
// them. REQUIRES: 1 <= log_cost <= 20.
AeadKey DeriveFromPassphrase(std::string_view passphrase, ByteView salt, int log_cost);

// One zstd frame with content size and checksum off (the AEAD tag covers it). Level 1..19.
Bytes Compress(ByteView plain, int level);
// Throws kCorrupt when malformed or when the content is not exactly `plain_size` bytes.
Bytes Decompress(ByteView compressed, std::size_t plain_size);

}  // namespace tidemark::codec
