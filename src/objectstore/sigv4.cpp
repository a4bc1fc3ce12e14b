#include "objectstore/sigv4.h"

#include <algorithm>
#include <cctype>

#include "base/bytes.h"
#include "codec/codec.h"

namespace tidemark::objectstore {
namespace {

constexpr std::string_view kAlgorithm = "AWS4-HMAC-SHA256";

bool IsUnreserved(unsigned char c) {
  return c < 0x80 && (std::isalnum(c) != 0 || c == '-' || c == '.' || c == '_' || c == '~');
}

std::string Encode(std::string_view text, bool keep_slash) {
  constexpr std::string_view kHex = "0123456789ABCDEF";
  std::string encoded;
  for (const unsigned char c : text) {
    if (IsUnreserved(c) || (keep_slash && c == '/')) {
      encoded += static_cast<char>(c);
    } else {
      encoded += {'%', kHex[c >> 4], kHex[c & 15]};
    }
  }
  return encoded;
}

// Without spaces at its ends, inner runs of them as one.
std::string Trimmed(std::string_view value) {
  std::string trimmed;
  for (const char c : value) {
    if (c != ' ' || (!trimmed.empty() && trimmed.back() != ' ')) {
      trimmed += c;
    }
  }
  while (!trimmed.empty() && trimmed.back() == ' ') {
    trimmed.pop_back();
  }
  return trimmed;
}

// By name as a whole: a name that begins like another one comes after it whatever follows it.
Pairs Sorted(Pairs headers) {
  std::ranges::sort(headers);
  return headers;
}

std::string SignedNames(const Pairs& sorted) {
  std::string names;
  for (const auto& [name, value] : sorted) {
    names += names.empty() ? "" : ";";
    names += name;
  }
  return names;
}

std::string CanonicalRequest(const SignedRequest& request, const Pairs& sorted) {
  std::string text = request.method + "\n" + EncodePath(request.path) + "\n" +
                     CanonicalQuery(request.query) + "\n";
  for (const auto& [name, value] : sorted) {
    text += name;
    text += ":";
    text += Trimmed(value);
    text += "\n";
  }
  return text + "\n" + SignedNames(sorted) + "\n" + request.payload_hash;
}

std::string HashHex(std::string_view text) {
  return HexEncode(codec::Sha256(AsBytes(text)));
}

codec::Digest SignatureKey(const SigningKey& key, std::string_view day) {
  const Secret first("AWS4" + key.secret_key.Reveal());
  codec::Digest derived = codec::HmacSha256(AsBytes(first.Reveal()), AsBytes(day));
  derived = codec::HmacSha256(derived, AsBytes(key.region));
  derived = codec::HmacSha256(derived, AsBytes(key.service));
  return codec::HmacSha256(derived, AsBytes("aws4_request"));
}

}  // namespace

std::string EncodeUri(std::string_view text) {
  return Encode(text, false);
}

std::string EncodePath(std::string_view path) {
  return Encode(path, true);
}

std::string CanonicalQuery(const Pairs& query) {
  Pairs encoded;
  for (const auto& [name, value] : query) {
    encoded.emplace_back(EncodeUri(name), EncodeUri(value));
  }
  std::ranges::sort(encoded);
  std::string text;
  for (const auto& [name, value] : encoded) {
    text += text.empty() ? "" : "&";
    text += name;
    text += "=";
    text += value;
  }
  return text;
}

std::string AmzDate(Instant now) {
  std::string date;
  for (const char c : FormatInstant(now)) {
    if (c != '-' && c != ':') {
      date += c;
    }
  }
  return date;
}

std::string Authorization(const SigningKey& key, const SignedRequest& request, Instant now) {
  const std::string date = AmzDate(now);
  const std::string day = date.substr(0, 8);
  const std::string scope = day + "/" + key.region + "/" + key.service + "/aws4_request";
  const Pairs sorted = Sorted(request.headers);
  const std::string to_sign = std::string(kAlgorithm) + "\n" + date + "\n" + scope + "\n" +
                              HashHex(CanonicalRequest(request, sorted));
  const codec::Digest signature = codec::HmacSha256(SignatureKey(key, day), AsBytes(to_sign));
  return std::string(kAlgorithm) + " Credential=" + key.access_key + "/" + scope +
         ",SignedHeaders=" + SignedNames(sorted) + ",Signature=" + HexEncode(signature);
}

}  // namespace tidemark::objectstore
