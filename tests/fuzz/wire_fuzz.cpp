// Any bytes may come from a client: either Error{kCorrupt, kUnsupported}, or a command whose parts
// lie within the message.
#include <cstdint>

#include "base/error.h"
#include "wire/message.h"

using tidemark::Bytes;
using tidemark::ByteView;
using tidemark::Error;
using tidemark::ErrorCode;

namespace {

void CheckWithin(ByteView whole, ByteView part) {
  TIDEMARK_CHECK(part.empty() || (part.data() >= whole.data() &&
                                  part.data() + part.size() <= whole.data() + whole.size()));
}

void CheckRequest(ByteView message, const tidemark::wire::Request& request) {
  TIDEMARK_CHECK(!request.command.empty());
  CheckWithin(message, request.command.bytes());
  CheckWithin(message, tidemark::AsBytes(request.database));
  for (const tidemark::wire::DocumentSequence& sequence : request.sequences) {
    CheckWithin(message, sequence.documents);
    for (ByteView rest = sequence.documents; !rest.empty();) {
      rest = rest.subspan(tidemark::bson::FrontDocumentSize(rest));
    }
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const ByteView message(data, size);
  try {
    const tidemark::wire::Request request = tidemark::wire::DecodeRequest(message);
    CheckRequest(message, request);
    Bytes reply;
    tidemark::wire::EncodeReply(request, 1, request.command, reply);
    TIDEMARK_CHECK(tidemark::LoadLe32(reply.data()) == reply.size());
  } catch (const Error& error) {
    TIDEMARK_CHECK(error.code() == ErrorCode::kCorrupt || error.code() == ErrorCode::kUnsupported);
  }
  return 0;
}
