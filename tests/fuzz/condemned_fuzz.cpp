#include "base/error.h"
#include "repo/internal/condemned.h"

namespace {

using tidemark::Bytes;
using tidemark::ByteView;

void CheckCondemned(ByteView bytes) {
  try {
    const tidemark::repo::Condemned condemned = tidemark::repo::DecodeCondemned(bytes);
    TIDEMARK_CHECK(EncodeCondemned(condemned) == Bytes(bytes.begin(), bytes.end()));
  } catch (const tidemark::Error&) {
    return;
  }
}

void CheckWaitList(ByteView bytes) {
  try {
    const auto sessions = tidemark::repo::DecodeWaitList(bytes);
    TIDEMARK_CHECK(tidemark::repo::EncodeWaitList(sessions) == Bytes(bytes.begin(), bytes.end()));
  } catch (const tidemark::Error&) {
    return;
  }
}

}  // namespace

// What decodes must encode back to the same bytes.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  CheckCondemned({data, size});
  CheckWaitList({data, size});
  return 0;
}
