#include "wire/message.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/error.h"
#include "bson/builder.h"
#include "wire/internal/crc32c.h"

namespace tidemark::wire {
namespace {

struct Failure {
  ErrorCode code = ErrorCode::kInternal;
  std::string message;

  bool operator==(const Failure&) const = default;
};

void PrintTo(const Failure& failure, std::ostream* out) {
  *out << ErrorCodeName(failure.code) << ": " << failure.message;
}

Failure Corrupt(const std::string& why) {
  return {ErrorCode::kCorrupt, "reading a wire message: " + why};
}

Failure Unsupported(const std::string& why) {
  return {ErrorCode::kUnsupported, "reading a wire message: " + why};
}

Failure FailureOf(const Bytes& message) {
  try {
    DecodeRequest(message);
  } catch (const Error& error) {
    return {error.code(), std::string(error.message())};
  }
  return {};
}

void Put32(Bytes& out, std::uint32_t value) {
  out.resize(out.size() + 4);
  StoreLe32(out.data() + out.size() - 4, value);
}

void PutBytes(Bytes& out, ByteView bytes) {
  out.insert(out.end(), bytes.begin(), bytes.end());
}

Bytes Message(std::uint32_t op_code, ByteView body) {
  Bytes message;
  Put32(message, static_cast<std::uint32_t>(kHeaderSize + body.size()));
  Put32(message, 77);
  Put32(message, 0);
  Put32(message, op_code);
  PutBytes(message, body);
  return message;
}

Bytes Msg(std::uint32_t flags, ByteView sections) {
  Bytes body;
  Put32(body, flags);
  PutBytes(body, sections);
  return Message(2013, body);
}

Bytes Ping() {
  return bson::Builder().Append("ping", std::int32_t{1}).Append("$db", "admin").Finish();
}

Bytes Body(ByteView document) {
  Bytes section{0};
  PutBytes(section, document);
  return section;
}

Bytes Sequence(std::string_view name, ByteView documents) {
  Bytes section{1};
  Put32(section, static_cast<std::uint32_t>(4 + name.size() + 1 + documents.size()));
  PutBytes(section, AsBytes(name));
  section.push_back(0);
  PutBytes(section, documents);
  return section;
}

Bytes Concat(const Bytes& a, const Bytes& b) {
  Bytes both = a;
  PutBytes(both, b);
  return both;
}

Bytes Query(std::string_view collection, ByteView query) {
  Bytes body;
  Put32(body, 4);
  PutBytes(body, AsBytes(collection));
  body.push_back(0);
  Put32(body, 0);
  Put32(body, 0xffffffff);
  PutBytes(body, query);
  return Message(2004, body);
}

TEST(Crc32c, IsThatOfRfc3720) {
  EXPECT_EQ(Crc32c(AsBytes("123456789")), 0xe3069283U);
}

TEST(DecodeRequest, ReadsACommand) {
  const Bytes message = Msg(0, Body(Ping()));
  const Request request = DecodeRequest(message);
  EXPECT_EQ(request.id, 77);
  EXPECT_EQ(request.framing, Framing::kMsg);
  EXPECT_TRUE(request.wants_reply);
  EXPECT_EQ(request.database, "admin");
  EXPECT_EQ(request.command.begin()->name, "ping");
  EXPECT_TRUE(request.sequences.empty());
}

TEST(DecodeRequest, MoreToComeWantsNoReplyAndExhaustIsTolerated) {
  EXPECT_FALSE(DecodeRequest(Msg(2, Body(Ping()))).wants_reply);
  EXPECT_TRUE(DecodeRequest(Msg(1U << 16, Body(Ping()))).wants_reply);
}

TEST(DecodeRequest, ReadsDocumentSequencesBeforeAndAfterTheCommand) {
  const Bytes first = bson::Builder().Append("_id", std::int32_t{1}).Finish();
  const Bytes second = bson::Builder().Append("_id", std::int32_t{2}).Finish();
  const Bytes both = Concat(first, second);
  const Bytes message = Msg(
      0, Concat(Concat(Sequence("documents", both), Body(Ping())), Sequence("empty", ByteView())));
  const Request request = DecodeRequest(message);
  ASSERT_EQ(request.sequences.size(), 2U);
  EXPECT_EQ(request.sequences[0].name, "documents");
  EXPECT_THAT(request.sequences[0].documents, testing::ElementsAreArray(both));
  EXPECT_EQ(request.sequences[1].name, "empty");
  EXPECT_TRUE(request.sequences[1].documents.empty());
}

TEST(DecodeRequest, VerifiesAChecksumThatIsThere) {
  Bytes message = Msg(1, Concat(Body(Ping()), Bytes(4)));
  const std::size_t covered = message.size() - 4;
  StoreLe32(message.data() + covered, Crc32c(ByteView(message).first(covered)));
  EXPECT_EQ(DecodeRequest(message).database, "admin");
  message.back() ^= 1;
  EXPECT_EQ(FailureOf(message), Corrupt("its checksum does not match"));
}

TEST(DecodeRequest, ReadsTheGreetingOfOlderDrivers) {
  const Bytes hello = bson::Builder().Append("isMaster", std::int32_t{1}).Finish();
  const Bytes plain = Query("admin.$cmd", hello);
  const Request request = DecodeRequest(plain);
  EXPECT_EQ(request.framing, Framing::kQuery);
  EXPECT_EQ(request.database, "admin");
  EXPECT_EQ(request.command.begin()->name, "isMaster");
  const Bytes wrapped =
      Query("admin.$cmd", bson::Builder().Append("$query", bson::Document(hello)).Finish());
  EXPECT_EQ(DecodeRequest(wrapped).command.begin()->name, "isMaster");
}

TEST(DecodeRequest, RefusesWhatIsNoCommand) {
  const Bytes document = Ping();
  EXPECT_EQ(FailureOf(Query("shop.orders", document)),
            Unsupported("OP_QUERY on shop.orders is no command"));
  EXPECT_EQ(FailureOf(Message(2012, document)),
            Unsupported("it is compressed, which hello did not offer"));
  EXPECT_EQ(FailureOf(Message(1, document)), Unsupported("a reply is no request"));
  EXPECT_EQ(FailureOf(Message(2002, document)), Unsupported("unknown operation 2002"));
}

TEST(DecodeRequest, RefusesMalformedFrames) {
  const Bytes good = Msg(0, Body(Ping()));
  EXPECT_EQ(FailureOf({good.begin(), good.begin() + 7}), Corrupt("its header has 7 bytes"));
  Bytes longer = good;
  longer.push_back(0);
  EXPECT_EQ(FailureOf(longer),
            Corrupt("a length of " + std::to_string(good.size()) + " bytes in a message of " +
                    std::to_string(longer.size())));
  Bytes huge = good;
  StoreLe32(huge.data(), kMaxMessageSize + 1);
  EXPECT_EQ(FailureOf(huge), Corrupt("a length of 48000001 bytes"));
  EXPECT_EQ(FailureOf(Message(2013, Bytes(3))), Corrupt("it ends inside the flags"));
  EXPECT_EQ(FailureOf(Msg(1, ByteView())), Corrupt("it ends inside the checksum"));
}

TEST(DecodeRequest, RefusesMalformedSections) {
  EXPECT_EQ(FailureOf(Msg(4, Body(Ping()))), Corrupt("unknown flags 4"));
  EXPECT_EQ(FailureOf(Msg(0, Bytes{9})), Corrupt("a section of unknown kind 9"));
  EXPECT_EQ(FailureOf(Msg(0, Concat(Body(Ping()), Body(Ping())))),
            Corrupt("two sections of kind 0"));
  EXPECT_EQ(FailureOf(Msg(0, Body(bson::Builder().Finish()))), Corrupt("an empty command"));
  EXPECT_EQ(FailureOf(Msg(0, ByteView())), Corrupt("the command names no $db"));
  EXPECT_EQ(FailureOf(Msg(0, Bytes{1, 3, 0, 0, 0})), Corrupt("a section of 3 bytes"));
  EXPECT_EQ(FailureOf(Msg(0, Bytes{1, 9, 0, 0, 0, 'a'})), Corrupt("it ends inside a section"));
  EXPECT_EQ(FailureOf(Msg(0, Bytes{1, 5, 0, 0, 0, 'a'})), Corrupt("a section's name has no end"));
  EXPECT_EQ(FailureOf(Msg(0, Sequence("documents", Bytes{200, 0, 0, 0, 0}))).code,
            ErrorCode::kCorrupt);
}

TEST(EncodeReply, AnswersInTheFramingOfTheRequest) {
  const Bytes body = bson::Builder().Append("ok", 1.0).Finish();
  Request request{.id = 5};
  Bytes out;
  EncodeReply(request, 9, bson::Document(body), out);
  Header header = DecodeHeader(ByteView(out).first(kHeaderSize));
  EXPECT_EQ(header.length, out.size());
  EXPECT_EQ(header.request_id, 9);
  EXPECT_EQ(header.response_to, 5);
  EXPECT_EQ(header.op_code, OpCode::kMsg);
  EXPECT_THAT(ByteView(out).subspan(kHeaderSize + 5), testing::ElementsAreArray(body));

  request.framing = Framing::kQuery;
  EncodeReply(request, 9, bson::Document(body), out);
  header = DecodeHeader(ByteView(out).first(kHeaderSize));
  EXPECT_EQ(header.length, out.size());
  EXPECT_EQ(header.op_code, OpCode::kReply);
  EXPECT_EQ(LoadLe32(out.data() + 32), 1U);
  EXPECT_THAT(ByteView(out).subspan(kHeaderSize + 20), testing::ElementsAreArray(body));
}

bson::Document BodyOf(const Bytes& reply) {
  return bson::Document(ByteView(reply).subspan(kHeaderSize + 5));
}

TEST(BatchWriter, WritesTheDocumentsOfACursor) {
  const Request request{.id = 5};
  const Bytes first = bson::Builder().Append("_id", std::int32_t{1}).Finish();
  const Bytes second = bson::Builder().Append("_id", std::int32_t{2}).Finish();
  const Bytes trailer = bson::Builder().Append("ok", 1.0).Finish();
  Bytes out;
  BatchWriter writer(request, 1, Batch::kNext, out);
  EXPECT_TRUE(writer.Add(first));
  EXPECT_TRUE(writer.Add(second));
  EXPECT_EQ(writer.documents(), 2U);
  writer.Finish(42, "shop.orders", bson::Document(trailer));
  EXPECT_EQ(LoadLe32(out.data()), out.size());
  bson::Validate(BodyOf(out).bytes());
  EXPECT_EQ(bson::ToJson(BodyOf(out)),
            R"({ "cursor" : { "nextBatch" : [ { "_id" : { "$numberInt" : "1" } }, )"
            R"({ "_id" : { "$numberInt" : "2" } } ], "id" : { "$numberLong" : "42" }, )"
            R"("ns" : "shop.orders" }, "ok" : { "$numberDouble" : "1.0" } })");
}

TEST(BatchWriter, EndsABatchAtItsBoundButTakesOneDocumentAlways) {
  const Request request;
  const Bytes large =
      bson::Builder().Append("text", std::string(kMaxBatchBytes + 100, 'x')).Finish();
  const Bytes empty = bson::Builder().Finish();
  Bytes out;
  BatchWriter writer(request, 1, Batch::kFirst, out);
  EXPECT_TRUE(writer.Add(large));
  EXPECT_FALSE(writer.Add(empty));
  writer.Finish(0, "shop.orders", bson::Document(empty));
  bson::Validate(BodyOf(out).bytes());
}

TEST(EncodeReply, RefusesAMessageAboveTheBound) {
  const Bytes body = bson::Builder().Append("text", std::string(kMaxMessageSize, 'x')).Finish();
  Bytes out;
  try {
    EncodeReply(Request(), 1, bson::Document(body), out);
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::kInvalidArgument);
    EXPECT_EQ(error.message(),
              "writing a wire message: 48000037 bytes are more than a message holds");
  }
}

}  // namespace
}  // namespace tidemark::wire
