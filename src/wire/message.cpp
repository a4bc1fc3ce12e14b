#include "wire/message.h"

#include <algorithm>
#include <charconv>
#include <string>

#include "base/error.h"
#include "wire/internal/crc32c.h"

namespace tidemark::wire {
namespace {

constexpr std::uint32_t kChecksumPresent = 1U << 0;
constexpr std::uint32_t kMoreToCome = 1U << 1;
constexpr std::uint32_t kRequiredFlags = 0xffff;  // an unknown one of these must be refused
constexpr std::uint32_t kAwaitCapable = 8;        // OP_REPLY's only flag that is still sent
constexpr std::size_t kChecksumSize = 4;
constexpr std::size_t kIndexRoom = 12;  // type byte, up to ten digits, NUL

[[noreturn]] void ThrowCorrupt(const std::string& why) {
  throw Error(ErrorCode::kCorrupt, "reading a wire message: " + why);
}

// Takes fields from the front of a message's body.
class Reader {
 public:
  explicit Reader(ByteView rest) : rest_(rest) {}

  bool empty() const { return rest_.empty(); }

  ByteView Take(std::size_t count, const char* what) {
    if (rest_.size() < count) {
      ThrowCorrupt(std::string("it ends inside ") + what);
    }
    const ByteView taken = rest_.first(count);
    rest_ = rest_.subspan(count);
    return taken;
  }

  std::uint32_t Take32(const char* what) { return LoadLe32(Take(4, what).data()); }

  std::string_view TakeText(const char* what) {
    const auto end = std::ranges::find(rest_, std::uint8_t{0});
    if (end == rest_.end()) {
      ThrowCorrupt(std::string(what) + " has no end");
    }
    const std::string_view text = AsText(ByteView(rest_.begin(), end));
    rest_ = rest_.subspan(text.size() + 1);
    return text;
  }

  bson::Document TakeDocument(const char* what) {
    return bson::Document(Take(bson::FrontDocumentSize(rest_), what));
  }

 private:
  ByteView rest_;
};

DocumentSequence TakeSequence(Reader& body) {
  const std::uint32_t size = body.Take32("a section's size");
  if (size < 4) {
    ThrowCorrupt("a section of " + std::to_string(size) + " bytes");
  }
  Reader section(body.Take(size - 4, "a section"));
  DocumentSequence sequence;
  sequence.name = section.TakeText("a section's name");
  sequence.documents = ByteView();
  std::size_t length = 0;
  const std::uint8_t* first = nullptr;
  while (!section.empty()) {
    const ByteView document = section.TakeDocument("a section's document").bytes();
    first = first == nullptr ? document.data() : first;
    length += document.size();
  }
  sequence.documents = ByteView(first, length);
  return sequence;
}

void TakeSection(Reader& body, Request& request) {
  const std::uint8_t kind = body.Take(1, "a section's kind").front();
  if (kind == 1) {
    request.sequences.push_back(TakeSequence(body));
    return;
  }
  if (kind != 0) {
    ThrowCorrupt("a section of unknown kind " + std::to_string(kind));
  }
  if (!request.command.empty()) {
    ThrowCorrupt("two sections of kind 0");
  }
  request.command = body.TakeDocument("the command");
  if (request.command.empty()) {
    ThrowCorrupt("an empty command");
  }
}

void VerifyChecksum(ByteView message) {
  const std::size_t covered = message.size() - kChecksumSize;
  if (Crc32c(message.first(covered)) != LoadLe32(message.data() + covered)) {
    ThrowCorrupt("its checksum does not match");
  }
}

void DecodeMsg(ByteView message, Request& request) {
  Reader body(message.subspan(kHeaderSize));
  const std::uint32_t flags = body.Take32("the flags");
  if ((flags & kRequiredFlags & ~(kChecksumPresent | kMoreToCome)) != 0) {
    ThrowCorrupt("unknown flags " + std::to_string(flags));
  }
  if ((flags & kChecksumPresent) != 0) {
    if (message.size() < kHeaderSize + 4 + kChecksumSize) {
      ThrowCorrupt("it ends inside the checksum");
    }
    VerifyChecksum(message);
    body =
        Reader(message.subspan(kHeaderSize + 4, message.size() - kHeaderSize - 4 - kChecksumSize));
  }
  while (!body.empty()) {
    TakeSection(body, request);
  }
  const auto database = request.command.Find("$db");
  const auto name = database ? database->AsString() : std::nullopt;
  if (!name) {
    ThrowCorrupt("the command names no $db");
  }
  request.wants_reply = (flags & kMoreToCome) == 0;
  request.database = *name;
}

// Old drivers wrap a command that has a read preference.
bson::Document Unwrapped(const bson::Document& query) {
  if (query.empty() || query.begin()->name != "$query") {
    return query;
  }
  const auto inner = query.begin()->AsDocument();
  return inner ? *inner : query;
}

void DecodeQuery(ByteView message, Request& request) {
  constexpr std::string_view kCommands = ".$cmd";
  Reader body(message.subspan(kHeaderSize));
  body.Take32("the flags");
  const std::string_view name = body.TakeText("the collection's name");
  body.Take(8, "skip and limit");
  request.framing = Framing::kQuery;
  request.command = Unwrapped(body.TakeDocument("the query"));
  if (!name.ends_with(kCommands)) {
    throw Error(ErrorCode::kUnsupported,
                "reading a wire message: OP_QUERY on " + std::string(name) + " is no command");
  }
  if (request.command.empty()) {
    ThrowCorrupt("an empty command");
  }
  request.database = name.substr(0, name.size() - kCommands.size());
}

// ---- replies

void Put32(Bytes& out, std::uint32_t value) {
  const std::size_t at = out.size();
  out.resize(at + 4);
  StoreLe32(out.data() + at, value);
}

void Put64(Bytes& out, std::uint64_t value) {
  Put32(out, static_cast<std::uint32_t>(value));
  Put32(out, static_cast<std::uint32_t>(value >> 32));
}

void PutBytes(Bytes& out, ByteView bytes) {
  out.insert(out.end(), bytes.begin(), bytes.end());
}

void PutName(Bytes& out, bson::Type type, std::string_view name) {
  out.push_back(static_cast<std::uint8_t>(type));
  PutBytes(out, AsBytes(name));
  out.push_back(0);
}

// Header with the length left open, and what stands before the body document.
void StartReply(const Request& request, std::int32_t reply_id, Bytes& out) {
  out.clear();
  Put32(out, 0);
  Put32(out, static_cast<std::uint32_t>(reply_id));
  Put32(out, static_cast<std::uint32_t>(request.id));
  if (request.framing == Framing::kMsg) {
    Put32(out, static_cast<std::uint32_t>(OpCode::kMsg));
    Put32(out, 0);     // flags
    out.push_back(0);  // section kind
    return;
  }
  Put32(out, static_cast<std::uint32_t>(OpCode::kReply));
  Put32(out, kAwaitCapable);
  Put64(out, 0);  // cursor
  Put32(out, 0);  // starting from
  Put32(out, 1);  // documents
}

void FinishReply(Bytes& out) {
  if (out.size() > kMaxMessageSize) {
    throw Error(ErrorCode::kInvalidArgument,
                "writing a wire message: " + std::to_string(out.size()) +
                    " bytes are more than a message holds");
  }
  StoreLe32(out.data(), static_cast<std::uint32_t>(out.size()));
}

// Closes the document that began at `start` with its length left open.
void CloseDocument(Bytes& out, std::size_t start) {
  out.push_back(0);
  StoreLe32(out.data() + start, static_cast<std::uint32_t>(out.size() - start));
}

}  // namespace

Header DecodeHeader(ByteView bytes) {
  if (bytes.size() != kHeaderSize) {
    ThrowCorrupt("its header has " + std::to_string(bytes.size()) + " bytes");
  }
  Header header;
  header.length = LoadLe32(bytes.data());
  header.request_id = static_cast<std::int32_t>(LoadLe32(bytes.data() + 4));
  header.response_to = static_cast<std::int32_t>(LoadLe32(bytes.data() + 8));
  if (header.length < kHeaderSize || header.length > kMaxMessageSize) {
    ThrowCorrupt("a length of " + std::to_string(header.length) + " bytes");
  }
  const auto code = static_cast<std::int32_t>(LoadLe32(bytes.data() + 12));
  for (const OpCode known : {OpCode::kReply, OpCode::kQuery, OpCode::kCompressed, OpCode::kMsg}) {
    if (static_cast<std::int32_t>(known) == code) {
      header.op_code = known;
      return header;
    }
  }
  throw Error(ErrorCode::kUnsupported,
              "reading a wire message: unknown operation " + std::to_string(code));
}

Request DecodeRequest(ByteView message) {
  const Header header = DecodeHeader(message.first(std::min(message.size(), kHeaderSize)));
  if (header.length != message.size()) {
    ThrowCorrupt("a length of " + std::to_string(header.length) + " bytes in a message of " +
                 std::to_string(message.size()));
  }
  Request request;
  request.id = header.request_id;
  switch (header.op_code) {
    case OpCode::kMsg:
      DecodeMsg(message, request);
      return request;
    case OpCode::kQuery:
      DecodeQuery(message, request);
      return request;
    case OpCode::kCompressed:
      throw Error(ErrorCode::kUnsupported,
                  "reading a wire message: it is compressed, which hello did not offer");
    case OpCode::kReply:
      throw Error(ErrorCode::kUnsupported, "reading a wire message: a reply is no request");
  }
  return request;
}

void EncodeReply(const Request& request,
                 std::int32_t reply_id,
                 const bson::Document& body,
                 Bytes& out) {
  StartReply(request, reply_id, out);
  PutBytes(out, body.bytes());
  FinishReply(out);
}

BatchWriter::BatchWriter(const Request& request, std::int32_t reply_id, Batch batch, Bytes& out)
    : out_(out) {
  StartReply(request, reply_id, out_);
  body_start_ = out_.size();
  Put32(out_, 0);
  PutName(out_, bson::Type::kDocument, "cursor");
  cursor_start_ = out_.size();
  Put32(out_, 0);
  PutName(out_, bson::Type::kArray, batch == Batch::kFirst ? "firstBatch" : "nextBatch");
  array_start_ = out_.size();
  Put32(out_, 0);
}

bool BatchWriter::Add(ByteView document) {
  const std::size_t used = out_.size() - array_start_;
  if (documents_ > 0 && used + document.size() + kIndexRoom > kMaxBatchBytes) {
    return false;
  }
  char index[kIndexRoom];
  const auto [end, error] = std::to_chars(index, index + kIndexRoom, documents_++);
  TIDEMARK_CHECK(error == std::errc());
  PutName(out_, bson::Type::kDocument, {index, static_cast<std::size_t>(end - index)});
  PutBytes(out_, document);
  return true;
}

void BatchWriter::Finish(std::int64_t cursor, std::string_view ns, const bson::Document& trailer) {
  CloseDocument(out_, array_start_);
  PutName(out_, bson::Type::kInt64, "id");
  Put64(out_, static_cast<std::uint64_t>(cursor));
  PutName(out_, bson::Type::kString, "ns");
  Put32(out_, static_cast<std::uint32_t>(ns.size() + 1));
  PutBytes(out_, AsBytes(ns));
  out_.push_back(0);
  CloseDocument(out_, cursor_start_);
  for (const bson::Element& element : trailer) {
    PutName(out_, element.type, element.name);
    PutBytes(out_, element.value);
  }
  CloseDocument(out_, body_start_);
  FinishReply(out_);
}

}  // namespace tidemark::wire
