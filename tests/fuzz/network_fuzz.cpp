// Any text may be given as an address or a CIDR block; what is read is written and read back the
// same, and contains its own first address.
#include <cstdint>

#include "base/bytes.h"
#include "base/error.h"
#include "domain/network.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using tidemark::domain::Address;
  using tidemark::domain::Network;
  const std::string_view text = tidemark::AsText({data, size});
  if (const auto address = Address::Parse(text)) {
    TIDEMARK_CHECK(Address::Parse(address->ToString()) == address);
    TIDEMARK_CHECK(Network::Parse(address->ToString()).value().Contains(*address));
  }
  if (const auto network = Network::Parse(text)) {
    TIDEMARK_CHECK(Network::Parse(network->ToString()) == network);
    TIDEMARK_CHECK(network->Contains(network->address()));
  }
  return 0;
}
