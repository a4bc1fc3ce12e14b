#pragma once

#include <memory>
#include <span>

#include "base/bytes.h"

namespace tidemark::codec {

// Unpacks a gzip stream (RFC 1952), also one of several members one after the other, piece by
// piece. Confined. After an exception only destruction is legal. Holds about 40 KiB.
class Gunzip {
 public:
  Gunzip();
  Gunzip(const Gunzip&) = delete;
  Gunzip& operator=(const Gunzip&) = delete;
  ~Gunzip();

  struct Step {
    std::size_t taken = 0;  // bytes from the front of `from`
    std::size_t given = 0;  // bytes put to the front of `to`
  };

  // As much as fits into `to` or is there in `from`. {0, 0} only when one of them is empty.
  // kCorrupt when it is no gzip, a member fails its check, or something else stands behind one.
  Step Run(ByteView from, std::span<std::uint8_t> to);

  // Whether the stream may end here: behind a whole member.
  bool AtEndOfMember() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace tidemark::codec
