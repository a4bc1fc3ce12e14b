// Every message of a push is spoilt once, in every way that is worth a row.
#include <filesystem>

#include <gtest/gtest.h>

#include "base/random.h"
#include "base/units.h"
#include "codec/sha1.h"
#include "delivery/sftp.h"
#include "tests/support/sftp_server.h"

namespace tidemark::delivery {
namespace {

namespace fs = std::filesystem;

struct Spoilt {
  std::string name;
  SftpFate fate;
  std::vector<std::string> calls;  // that may end so
  ErrorCode code;                  // of the failure
  bool harmless = false;           // the push succeeds
};

const std::vector<std::string> kAll{"open", "write", "read", "close", "remove", "rename"};
const std::vector<std::string> kNeeded{"open", "write", "read", "rename"};

std::vector<Spoilt> WaysToSpoil() {
  return {
      {.name = "hangs up",
       .fate = {.hangs_up = true, .is_done = false},
       .calls = kAll,
       .code = ErrorCode::kUnavailable},
      {.name = "does it and hangs up",
       .fate = {.hangs_up = true},
       .calls = kAll,
       .code = ErrorCode::kUnavailable},
      {.name = "says that it failed",
       .fate = {.is_done = false, .status = SSH_FX_FAILURE},
       .calls = kNeeded,
       .code = ErrorCode::kIo},
      {.name = "does half of it and says that it failed",
       .fate = {.status = SSH_FX_FAILURE},
       .calls = kNeeded,
       .code = ErrorCode::kIo},
      {.name = "does not allow it",
       .fate = {.is_done = false, .status = SSH_FX_PERMISSION_DENIED},
       .calls = kNeeded,
       .code = ErrorCode::kPermissionDenied},
      {.name = "does not find it",
       .fate = {.is_done = false, .status = SSH_FX_NO_SUCH_FILE},
       .calls = kNeeded,
       .code = ErrorCode::kNotFound},
      {.name = "has lost a bit",
       .fate = {.spoils = true},
       .calls = {"write", "read"},
       .code = ErrorCode::kIo},
      {.name = "says that it wrote",
       .fate = {.is_done = false},
       .calls = {"write"},
       .code = ErrorCode::kIo},
      {.name = "ends the file too early",
       .fate = {.is_done = false, .status = SSH_FX_EOF},
       .calls = {"read"},
       .code = ErrorCode::kIo},
      {.name = "reads half",
       .fate = {.is_short = true},
       .calls = {"read"},
       .code = ErrorCode::kInternal,
       .harmless = true},
      {.name = "does not remove what an earlier try has left",
       .fate = {.is_done = false, .status = SSH_FX_FAILURE},
       .calls = {"remove"},
       .code = ErrorCode::kIo},
      {.name = "fails where nobody minds",
       .fate = {.is_done = false, .status = SSH_FX_FAILURE},
       .calls = {"close"},
       .code = ErrorCode::kInternal,
       .harmless = true},
  };
}

class SftpFaultTest : public testing::Test {
 protected:
  SftpFaultTest() {
    fs::create_directories(directory_);
    server_.WriteKey(directory_ / "key");
    destination_ = {.host = "127.0.0.1",
                    .port = server_.port(),
                    .user = "anybody",
                    .key_file = directory_ / "key",
                    .directory = "/in",
                    .host_key = server_.Fingerprint()};
    for (std::size_t i = 0; i < KiB(100).value; ++i) {
      content_ += static_cast<char>(i * 7919 >> 3);
    }
  }

  ~SftpFaultTest() override { fs::remove_all(directory_); }

  // What pushing throws.
  std::optional<Error> Push() {
    const PushSource source = [this, given = std::size_t{0}](std::span<std::uint8_t> to) mutable {
      const std::size_t size = std::min(to.size(), content_.size() - given);
      std::copy_n(content_.begin() + static_cast<std::ptrdiff_t>(given), size, to.begin());
      given += size;
      return size;
    };
    try {
      const PushedFile pushed = PushFile(destination_, "a.tar.gz", source, {});
      codec::Sha1Hash hash;
      hash.Add(AsBytes(content_));
      EXPECT_EQ(pushed.sha1, hash.TakeHex());
      EXPECT_EQ(pushed.size, content_.size());
    } catch (const Error& error) {
      return error;
    }
    return std::nullopt;
  }

  void ExpectWholeAndAlone() {
    EXPECT_TRUE(server_.Files().size() == 1 && server_.Files()["/in/a.tar.gz"] == content_);
  }

  // False when there are not that many messages of these kinds.
  bool SpoilOne(const Spoilt& how, int place) {
    std::atomic<int> seen{0};
    std::string spoilt;
    server_.SetIntercept([&](const std::string& call) {
      const bool may = std::ranges::find(how.calls, call) != how.calls.end();
      const bool is_now = may && seen++ == place;
      spoilt = is_now ? call : spoilt;
      return is_now ? how.fate : SftpFate{};
    });
    const std::optional<Error> error = Push();
    server_.SetIntercept(nullptr);
    if (seen <= place) {
      EXPECT_FALSE(error.has_value()) << error->message();
      return false;
    }
    SCOPED_TRACE(how.name + " at " + std::to_string(place) + " " + spoilt +
                 (error ? ": " + std::string(error->message()) : ""));
    // A file that was not closed has been written all the same; the last read is of its end.
    const bool may_succeed = spoilt == "close" || spoilt == "read";
    EXPECT_TRUE(error.has_value() != how.harmless || may_succeed);
    const auto files = server_.Files();
    const auto whole = files.find("/in/a.tar.gz");
    EXPECT_TRUE(whole == files.end() || whole->second == content_) << "it is not what it is called";
    if (error) {
      EXPECT_EQ(error->code(), how.code);
    } else {
      ExpectWholeAndAlone();
    }
    const std::optional<Error> again = Push();
    EXPECT_FALSE(again.has_value()) << "the next one has to go well: " << again->message();
    ExpectWholeAndAlone();
    return true;
  }

  SystemRandom random_;
  const fs::path directory_ =
      fs::temp_directory_path() / ("sftp_fault_test-" + RandomHex(random_, 8));
  SftpServer server_;
  SftpDestination destination_;
  std::string content_;
};

TEST_F(SftpFaultTest, EachMessageOfAPush) {
  ASSERT_FALSE(Push().has_value());
  ExpectWholeAndAlone();
  for (const Spoilt& how : WaysToSpoil()) {
    int place = 0;
    while (SpoilOne(how, place)) {
      ++place;
    }
    EXPECT_GE(place, how.harmless ? 2 : 1) << how.name;
  }
}

}  // namespace
}  // namespace tidemark::delivery
