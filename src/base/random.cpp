#include "base/random.h"

#include <cerrno>

#include <sys/random.h>

#include "base/bytes.h"
#include "base/error.h"

namespace tidemark {

void SystemRandom::Fill(std::span<std::uint8_t> out) {
  while (!out.empty()) {
    const ssize_t got = getrandom(out.data(), out.size(), 0);
    if (got < 0 && errno == EINTR) {
      continue;
    }
    TIDEMARK_CHECK(got > 0);
    out = out.subspan(static_cast<std::size_t>(got));
  }
}

std::uint64_t SeededRandom::Next() {
  state_ += 0x9e3779b97f4a7c15ULL;
  std::uint64_t mixed = state_;
  mixed = (mixed ^ (mixed >> 30)) * 0xbf58476d1ce4e5b9ULL;
  mixed = (mixed ^ (mixed >> 27)) * 0x94d049bb133111ebULL;
  return mixed ^ (mixed >> 31);
}

void SeededRandom::Fill(std::span<std::uint8_t> out) {
  std::uint64_t word = 0;
  for (std::size_t i = 0; i < out.size(); ++i) {
    if (i % 8 == 0) {
      word = Next();
    }
    out[i] = static_cast<std::uint8_t>(word >> (8 * (i % 8)));
  }
}

std::string RandomHex(RandomSource& random, std::size_t count) {
  Bytes bytes(count);
  random.Fill(bytes);
  return HexEncode(bytes);
}

}  // namespace tidemark
