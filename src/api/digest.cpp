#include "api/internal/digest.h"

#include <algorithm>
#include <array>
#include <charconv>

#include "api/internal/text.h"
#include "base/bytes.h"
#include "base/error.h"
#include "base/secret.h"
#include "codec/codec.h"

namespace tidemark::api {
namespace {

constexpr std::size_t kTimeSize = 8;
constexpr std::size_t kRandomSize = 4;
constexpr std::size_t kMacSize = 12;
constexpr std::size_t kBodySize = kTimeSize + kRandomSize;
constexpr std::size_t kNonceSize = kBodySize + kMacSize;
constexpr std::size_t kEncodedSize = 32;  // base64 of 24 bytes has no padding
constexpr std::uint32_t kWindowSize = 64;

struct Binding {
  std::string_view name;
  std::string DigestCredentials::* member;
};

constexpr std::array kBindings{Binding{"username", &DigestCredentials::username},
                               Binding{"realm", &DigestCredentials::realm},
                               Binding{"nonce", &DigestCredentials::nonce},
                               Binding{"uri", &DigestCredentials::uri},
                               Binding{"response", &DigestCredentials::response},
                               Binding{"algorithm", &DigestCredentials::algorithm},
                               Binding{"qop", &DigestCredentials::qop},
                               Binding{"nc", &DigestCredentials::nc},
                               Binding{"cnonce", &DigestCredentials::cnonce}};

// The opening quote has been taken; takes up to and including the closing one.
std::optional<std::string> TakeQuoted(std::string_view& rest) {
  std::string value;
  while (!rest.empty()) {
    char c = rest.front();
    rest.remove_prefix(1);
    if (c == '"') {
      return value;
    }
    if (c == '\\') {
      if (rest.empty()) {
        return std::nullopt;
      }
      c = rest.front();
      rest.remove_prefix(1);
    }
    value.push_back(c);
  }
  return std::nullopt;
}

std::optional<std::string> TakeValue(std::string_view& rest) {
  rest = Trim(rest);
  if (!rest.starts_with('"')) {
    return std::string(Trim(TakeUntil(rest, ',')));
  }
  rest.remove_prefix(1);
  auto value = TakeQuoted(rest);
  const bool clean = Trim(TakeUntil(rest, ',')).empty();
  return clean ? value : std::nullopt;
}

// False when the name came before: two values leave open which one was meant.
bool Store(DigestCredentials& credentials,
           std::string_view name,
           const std::string& value,
           unsigned& seen) {
  for (std::size_t i = 0; i < kBindings.size(); ++i) {
    if (!EqualNoCase(name, kBindings[i].name)) {
      continue;
    }
    const bool first = (seen >> i & 1U) == 0;
    seen |= 1U << i;
    credentials.*kBindings[i].member = value;
    return first;
  }
  return true;
}

std::optional<Bytes> DecodeNonce(std::string_view nonce) {
  if (nonce.size() != kEncodedSize) {
    return std::nullopt;
  }
  try {
    Bytes bytes = Base64Decode(nonce);
    return bytes.size() == kNonceSize ? std::optional(std::move(bytes)) : std::nullopt;
  } catch (const Error&) {
    return std::nullopt;
  }
}

// REQUIRES: DecodeNonce takes it.
std::int64_t IssuedAt(const Bytes& nonce) {
  return static_cast<std::int64_t>(LoadLe64(nonce.data()));
}

}  // namespace

std::optional<DigestCredentials> ParseDigestCredentials(std::string_view text) {
  DigestCredentials credentials;
  unsigned seen = 0;
  for (std::string_view rest = Trim(text); !rest.empty(); rest = Trim(rest)) {
    if (rest.front() == ',') {
      rest.remove_prefix(1);
      continue;
    }
    const std::size_t equals = rest.find('=');
    if (equals == std::string_view::npos) {
      return std::nullopt;
    }
    const std::string_view name = Trim(rest.substr(0, equals));
    rest.remove_prefix(equals + 1);
    const auto value = TakeValue(rest);
    if (!value || name.empty() || !Store(credentials, name, *value, seen)) {
      return std::nullopt;
    }
  }
  return credentials;
}

std::string DigestResponse(const DigestCredentials& credentials,
                           const std::string& ha1,
                           std::string_view method) {
  const std::string ha2 = codec::Md5Hex(std::string(method) + ":" + credentials.uri);
  return codec::Md5Hex(ha1 + ":" + credentials.nonce + ":" + credentials.nc + ":" +
                       credentials.cnonce + ":" + credentials.qop + ":" + ha2);
}

std::optional<std::uint32_t> ParseNonceCount(std::string_view text) {
  std::uint32_t count = 0;
  const auto [stop, error] = std::from_chars(text.data(), text.data() + text.size(), count, 16);
  const bool whole = stop == text.data() + text.size();
  return text.size() == 8 && error == std::errc() && whole ? std::optional(count) : std::nullopt;
}

NonceGuard::NonceGuard(const Clock& clock,
                       RandomSource& random,
                       std::string key,
                       std::size_t capacity)
    : clock_(clock),
      random_(random),
      key_(std::move(key)),
      capacity_(std::max<std::size_t>(capacity, 1)),
      forgotten_until_(ToMicros(clock.Now()) - 1) {}

std::string NonceGuard::Sign(std::string_view body) const {
  const codec::Digest mac = codec::HmacSha256(AsBytes(key_), AsBytes(body));
  return std::string(AsText(mac).substr(0, kMacSize));
}

std::string NonceGuard::Make() {
  Bytes body(kBodySize);
  StoreLe64(body.data(), static_cast<std::uint64_t>(ToMicros(clock_.Now())));
  random_.Fill(std::span(body).subspan(kTimeSize));
  const std::string text(AsText(body));
  return Base64Encode(AsBytes(text + Sign(text)));
}

NonceState NonceGuard::Check(std::string_view nonce) const {
  const auto bytes = DecodeNonce(nonce);
  if (!bytes) {
    return NonceState::kForged;
  }
  const std::string text(AsText(*bytes));
  if (!ConstantTimeEqual(Sign(text.substr(0, kBodySize)), text.substr(kBodySize))) {
    return NonceState::kForged;
  }
  const auto age = clock_.Now() - FromMicros(IssuedAt(*bytes));
  // Another node's clock may be ahead of ours.
  return age > kLife || -age > kLife ? NonceState::kExpired : NonceState::kValid;
}

bool NonceGuard::Mark(Window& window, std::uint32_t count) {
  if (window.seen == 0 || count > window.highest) {
    const std::uint32_t ahead = count - window.highest;
    const bool keep = window.seen != 0 && ahead < kWindowSize;
    window.seen = (keep ? window.seen << ahead : 0) | 1U;
    window.highest = count;
    return true;
  }
  const std::uint32_t behind = window.highest - count;
  if (behind >= kWindowSize || (window.seen >> behind & 1U) != 0) {
    return false;
  }
  window.seen |= std::uint64_t{1} << behind;
  return true;
}

void NonceGuard::MakeRoom() {
  const std::int64_t oldest = ToMicros(clock_.Now() - kLife);
  while (!used_.empty() && (used_.begin()->first.first < oldest || used_.size() >= capacity_)) {
    forgotten_until_ = std::max(forgotten_until_, used_.begin()->first.first);
    used_.erase(used_.begin());
  }
}

NonceUse NonceGuard::Use(std::string_view nonce, std::uint32_t count) {
  const auto bytes = DecodeNonce(nonce);
  TIDEMARK_CHECK(bytes.has_value());
  const Entry entry{IssuedAt(*bytes), std::string(nonce)};
  const MutexLock lock(mutex_);
  auto found = used_.find(entry);
  if (found == used_.end()) {
    MakeRoom();
    if (entry.first <= forgotten_until_) {
      return NonceUse::kForgotten;
    }
    found = used_.emplace(entry, Window{}).first;
  }
  return Mark(found->second, count) ? NonceUse::kAccepted : NonceUse::kReplayed;
}

}  // namespace tidemark::api
