#include "domain/network.h"

#include <algorithm>
#include <charconv>
#include <span>

#include <arpa/inet.h>

namespace tidemark::domain {
namespace {

constexpr std::array<std::uint8_t, 12> kMapped{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};

// 0 to `most`, without sign, blanks or leading zeros.
std::optional<int> ParsePrefix(std::string_view text, int most) {
  int value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (text.empty() || error != std::errc() || end != text.data() + text.size() || value < 0 ||
      value > most || std::to_string(value) != text) {
    return std::nullopt;
  }
  return value;
}

bool BitOf(std::span<const std::uint8_t> bytes, int bit) {
  return ((bytes[static_cast<std::size_t>(bit / 8)] >> (7 - bit % 8)) & 1) != 0;
}

}  // namespace

std::optional<Address> Address::Parse(std::string_view text) {
  const std::string plain(text.substr(0, text.find('%')));
  if (plain.find('\0') != std::string::npos) {
    return std::nullopt;
  }
  Address address;
  if (inet_pton(AF_INET, plain.c_str(), address.bytes_.data()) == 1) {
    return address;
  }
  if (inet_pton(AF_INET6, plain.c_str(), address.bytes_.data()) != 1) {
    return std::nullopt;
  }
  address.v4_ = std::ranges::equal(std::span(address.bytes_).first(kMapped.size()), kMapped);
  if (address.v4_) {
    std::ranges::copy(std::span(address.bytes_).last<4>(), address.bytes_.begin());
    std::ranges::fill(std::span(address.bytes_).last<12>(), std::uint8_t{0});
  }
  return address;
}

std::string Address::ToString() const {
  std::array<char, INET6_ADDRSTRLEN> text{};
  inet_ntop(v4_ ? AF_INET : AF_INET6, bytes_.data(), text.data(), text.size());
  return text.data();
}

std::optional<Network> Network::Parse(std::string_view text) {
  const std::size_t slash = text.find('/');
  const auto address = Address::Parse(text.substr(0, slash));
  if (!address || text.find('%') != std::string_view::npos) {
    return std::nullopt;
  }
  // The prefix of a block of mapped addresses would count other bits than the IPv4 ones.
  if (address->IsV4() && text.find(':') != std::string_view::npos) {
    return std::nullopt;
  }
  const int bits = address->IsV4() ? 32 : 128;
  const auto prefix = slash == std::string_view::npos ? std::optional(bits)
                                                      : ParsePrefix(text.substr(slash + 1), bits);
  if (!prefix) {
    return std::nullopt;
  }
  for (int bit = *prefix; bit < bits; ++bit) {
    if (BitOf(address->bytes_, bit)) {
      return std::nullopt;
    }
  }
  Network network;
  network.address_ = *address;
  network.prefix_ = *prefix;
  return network;
}

bool Network::Contains(const Address& address) const {
  if (address.IsV4() != address_.IsV4()) {
    return false;
  }
  for (int bit = 0; bit < prefix_; ++bit) {
    if (BitOf(address.bytes(), bit) != BitOf(address_.bytes(), bit)) {
      return false;
    }
  }
  return true;
}

std::string Network::ToString() const {
  return address_.ToString() + "/" + std::to_string(prefix_);
}

}  // namespace tidemark::domain
