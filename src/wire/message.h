#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "bson/document.h"

// The server's side of the MongoDB wire protocol: bytes to commands, replies to bytes. Pure: no
// sockets, no state. Specification: MongoDB manual, "MongoDB Wire Protocol"; all integers are
// little-endian.
namespace tidemark::wire {

inline constexpr std::size_t kHeaderSize = 16;              // bytes
inline constexpr std::size_t kMaxMessageSize = 48'000'000;  // bytes, what hello promises
// A reply's documents; the server ends a batch there, drivers refuse more than kMaxMessageSize.
inline constexpr std::size_t kMaxBatchBytes = 16U << 20;

// Persistent by nature: the protocol's numbers.
enum class OpCode : std::int32_t {
  kReply = 1,
  kQuery = 2004,
  kCompressed = 2012,
  kMsg = 2013,
};

struct Header {
  std::uint32_t length = 0;  // bytes of the whole message, this header included
  std::int32_t request_id = 0;
  std::int32_t response_to = 0;
  OpCode op_code = OpCode::kMsg;  // one of the enumerators
};

// A message's first kHeaderSize bytes. Throws kCorrupt on another number of bytes, a length outside
// kHeaderSize..kMaxMessageSize, and kUnsupported on an unknown operation.
Header DecodeHeader(ByteView bytes);

// OP_MSG's sections of kind 1: documents beside the command, as if they were its array `name`.
struct DocumentSequence {
  std::string_view name;
  ByteView documents;  // whole documents one after the other; each frame has been checked
};

// How a command came in, which is how its reply has to go out.
enum class Framing { kMsg, kQuery };

// One command. Borrows from the message it was decoded from.
struct Request {
  std::int32_t id = 0;
  Framing framing = Framing::kMsg;
  bool wants_reply = true;  // false: moreToCome
  std::string_view database;
  bson::Document command;  // its first element names it; never empty
  std::vector<DocumentSequence> sequences;
};

// Decodes a whole message, header included: OP_MSG with a checksum verified where there is one, or
// OP_QUERY on a `$cmd` collection (the greeting of older drivers). Throws kCorrupt on malformed
// bytes, kUnsupported on other operations. The command's elements are not walked beyond the top
// level: that is up to who reads them.
Request DecodeRequest(ByteView message);

// Writes the reply message to `out`, which is cleared first; its capacity is kept.
// Throws kInvalidArgument when the message would be above kMaxMessageSize.
void EncodeReply(const Request& request,
                 std::int32_t reply_id,
                 const bson::Document& body,
                 Bytes& out);

enum class Batch { kFirst, kNext };

// Writes a reply of the form {cursor: {firstBatch: [...], id, ns}, <trailer>} into `out`, document
// by document without another copy. Confined; `request` and `out` must outlive it.
class BatchWriter {
 public:
  BatchWriter(const Request& request, std::int32_t reply_id, Batch batch, Bytes& out);

  // False, and nothing added, when the batch is full: kMaxBatchBytes, but at least one document.
  bool Add(ByteView document);

  std::uint32_t documents() const { return documents_; }

  // `cursor` 0: there is no more. Only destruction is legal afterwards. Throws kInvalidArgument
  // when the message would be above kMaxMessageSize.
  void Finish(std::int64_t cursor, std::string_view ns, const bson::Document& trailer);

 private:
  Bytes& out_;
  std::size_t body_start_ = 0;
  std::size_t cursor_start_ = 0;
  std::size_t array_start_ = 0;
  std::uint32_t documents_ = 0;
};

}  // namespace tidemark::wire
