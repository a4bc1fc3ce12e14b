#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

// Addresses of clients, as text comes in and as access lists hold them.
namespace tidemark::domain {

// An IPv4 or IPv6 address; an IPv4 one that came as IPv6 (::ffff:192.0.2.1) is the IPv4 one.
// Immutable value.
class Address {
 public:
  // The forms that inet_pton takes: "192.0.2.1", "2001:db8::1"; an interface behind % is ignored.
  // nullopt for anything else.
  static std::optional<Address> Parse(std::string_view text);

  // Canonical: RFC 5952 for IPv6.
  std::string ToString() const;

  bool IsV4() const { return v4_; }

  const std::array<std::uint8_t, 16>& bytes() const { return bytes_; }

  auto operator<=>(const Address&) const = default;

 private:
  friend class Network;

  bool v4_ = true;
  std::array<std::uint8_t, 16> bytes_{};  // of IPv4 the first four
};

// A CIDR block. Immutable value.
class Network {
 public:
  // "192.0.2.0/24", "2001:db8::/32", or one address. nullopt for anything else, also when bits
  // behind the prefix are set: such a block is a slip, and which half of it is meant is unknown.
  static std::optional<Network> Parse(std::string_view text);

  bool Contains(const Address& address) const;
  // Canonical, always with a prefix: "192.0.2.1/32".
  std::string ToString() const;

  const Address& address() const { return address_; }

  bool IsOneAddress() const { return prefix_ == (address_.IsV4() ? 32 : 128); }

  auto operator<=>(const Network&) const = default;

 private:
  Address address_;
  int prefix_ = 32;  // bits
};

}  // namespace tidemark::domain
