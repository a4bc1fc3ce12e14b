#include "domain/network.h"

#include <gtest/gtest.h>

namespace tidemark::domain {
namespace {

std::string Canonical(std::string_view text) {
  const auto network = Network::Parse(text);
  return network ? network->ToString() : "none";
}

bool Holds(std::string_view network, std::string_view address) {
  return Network::Parse(network).value().Contains(Address::Parse(address).value());
}

}  // namespace

TEST(Address, ReadsBothFamiliesAndWritesThemCanonically) {
  EXPECT_EQ(Address::Parse("192.0.2.1").value().ToString(), "192.0.2.1");
  EXPECT_EQ(Address::Parse("2001:DB8:0:0:0:0:0:1").value().ToString(), "2001:db8::1");
  EXPECT_EQ(Address::Parse("::ffff:192.0.2.1").value(), Address::Parse("192.0.2.1").value());
  EXPECT_EQ(Address::Parse("fe80::1%eth0").value().ToString(), "fe80::1");
}

TEST(Address, IsNothingElse) {
  for (const char* text :
       {"", "192.0.2", "192.0.2.256", "192.0.2.1 ", "1.2.3.4:80", "[::1]", "x"}) {
    EXPECT_FALSE(Address::Parse(text).has_value()) << text;
  }
  EXPECT_FALSE(Address::Parse(std::string_view("1.2.3.4\0x", 9)).has_value());
}

TEST(Network, ReadsBlocksAndSingleAddresses) {
  EXPECT_EQ(Canonical("192.0.2.0/24"), "192.0.2.0/24");
  EXPECT_EQ(Canonical("192.0.2.1"), "192.0.2.1/32");
  EXPECT_EQ(Canonical("0.0.0.0/0"), "0.0.0.0/0");
  EXPECT_EQ(Canonical("2001:db8::/32"), "2001:db8::/32");
  EXPECT_EQ(Canonical("::1"), "::1/128");
}

TEST(Network, RefusesWhatIsNoBlock) {
  for (const char* text : {"",
                           "/24",
                           "192.0.2.0/",
                           "192.0.2.0/33",
                           "192.0.2.0/-1",
                           "192.0.2.0/+8",
                           "192.0.2.0/024",
                           "192.0.2.0/24/24",
                           "192.0.2.1/24",
                           "2001:db8::1/32",
                           "2001:db8::/129",
                           "::ffff:192.0.2.0/120",
                           "fe80::%eth0/64",
                           "everywhere"}) {
    EXPECT_EQ(Canonical(text), "none") << text;
  }
}

TEST(Network, ContainsItsAddressesOnly) {
  EXPECT_TRUE(Holds("192.0.2.0/25", "192.0.2.127"));
  EXPECT_FALSE(Holds("192.0.2.0/25", "192.0.2.128"));
  EXPECT_TRUE(Holds("192.0.2.1", "::ffff:192.0.2.1"));
  EXPECT_TRUE(Holds("0.0.0.0/0", "203.0.113.9"));
  EXPECT_FALSE(Holds("0.0.0.0/0", "::1"));
  EXPECT_FALSE(Holds("::/0", "127.0.0.1"));
  EXPECT_TRUE(Holds("2001:db8::/33", "2001:db8:7fff::1"));
  EXPECT_FALSE(Holds("2001:db8::/33", "2001:db8:8000::1"));
}

}  // namespace tidemark::domain
