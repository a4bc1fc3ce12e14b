#include "dump/internal/spool.h"

#include <fstream>

#include <gtest/gtest.h>

#include "bson/builder.h"
#include "tests/support/dump_files.h"

namespace tidemark::dump {
namespace {

Bytes Document(std::int64_t number, std::size_t size) {
  return bson::Builder()
      .Append("_id", number)
      .Append("text", std::string(size, static_cast<char>('a' + number % 26)))
      .Finish();
}

std::vector<Bytes> All(const Spool& spool, std::size_t stream) {
  std::vector<Bytes> documents;
  spool.ForEach(stream, {}, [&](ByteView document) {
    documents.emplace_back(document.begin(), document.end());
  });
  return documents;
}

class SpoolTest : public testing::Test {
 protected:
  const TemporaryFolder folder_;
  SystemRandom random_;
};

TEST_F(SpoolTest, GivesEveryStreamBackInOrder) {
  Spool spool(folder_.path(), random_);
  SeededRandom dice(7);
  constexpr std::size_t kStreams = 50;
  std::vector<std::vector<Bytes>> expected(kStreams + 1);
  for (std::size_t i = 0; i <= kStreams; ++i) {
    EXPECT_EQ(spool.AddStream(), i);
  }
  for (int i = 0; i < 20'000; ++i) {
    const std::size_t stream = dice.Next() % kStreams;  // the last one stays empty
    const Bytes document = Document(i, dice.Next() % 8 == 0 ? 40'000 : dice.Next() % 300);
    spool.Append(stream, document);
    expected[stream].push_back(document);
  }
  spool.Finish();
  for (std::size_t i = 0; i <= kStreams; ++i) {
    EXPECT_EQ(All(spool, i), expected[i]) << i;
    EXPECT_EQ(spool.documents(i), expected[i].size());
    EXPECT_EQ(spool.bytes(i), Joined(expected[i]).size());
  }
}

TEST_F(SpoolTest, ManyStreamsFlushTogether) {
  Spool spool(folder_.path(), random_);
  constexpr std::size_t kStreams = 300;
  for (std::size_t i = 0; i < kStreams; ++i) {
    spool.AddStream();
  }
  for (int round = 0; round < 3; ++round) {
    for (std::size_t i = 0; i < kStreams; ++i) {
      spool.Append(i, Document(round, 300'000));
    }
  }
  spool.Finish();
  for (std::size_t i = 0; i < kStreams; ++i) {
    EXPECT_EQ(
        All(spool, i),
        (std::vector<Bytes>{Document(0, 300'000), Document(1, 300'000), Document(2, 300'000)}));
  }
}

TEST_F(SpoolTest, LeavesNoNameAndNoPlaintext) {
  Spool spool(folder_.path(), random_);
  const std::size_t stream = spool.AddStream();
  spool.Append(stream, bson::Builder().Append("secret", "correct horse battery").Finish());
  spool.Finish();
  EXPECT_TRUE(std::filesystem::is_empty(folder_.path()));
  std::size_t looked_at = 0;
  for (const auto& entry : std::filesystem::directory_iterator("/proc/self/fd")) {
    std::error_code none;
    const auto target = std::filesystem::read_symlink(entry.path(), none).string();
    if (target.starts_with(folder_.path().string())) {
      std::ifstream in(entry.path(), std::ios::binary);
      const std::string bytes((std::istreambuf_iterator<char>(in)), {});
      EXPECT_FALSE(bytes.empty());
      EXPECT_EQ(bytes.find("battery"), std::string::npos);
      ++looked_at;
    }
  }
  EXPECT_EQ(looked_at, 1U);
}

TEST_F(SpoolTest, StopsWhenAsked) {
  Spool spool(folder_.path(), random_);
  const std::size_t stream = spool.AddStream();
  spool.Append(stream, Document(1, 10));
  spool.Finish();
  std::stop_source stop;
  stop.request_stop();
  try {
    spool.ForEach(stream, stop.get_token(), [](ByteView) { FAIL(); });
    FAIL() << "it did not stop";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::kCancelled);
  }
}

}  // namespace
}  // namespace tidemark::dump
