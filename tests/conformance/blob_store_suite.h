#pragma once

#include <atomic>
#include <functional>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/error.h"
#include "blob/blob_store.h"

namespace tidemark::blob {

// What every BlobStore promises. Instantiate with a function that makes an empty store.
class BlobStoreSuite : public testing::TestWithParam<std::function<std::unique_ptr<BlobStore>()>> {
 protected:
  std::unique_ptr<BlobStore> store_ = GetParam()();

  ErrorCode CodeOf(const std::function<void()>& action) {
    try {
      action();
    } catch (const Error& error) {
      return error.code();
    }
    ADD_FAILURE() << "nothing was thrown";
    return ErrorCode::kInternal;
  }

  std::string MessageOf(const std::function<void()>& action) {
    try {
      action();
    } catch (const Error& error) {
      return std::string(error.message());
    }
    return "nothing was thrown";
  }

  std::vector<std::string> Names(std::string_view prefix) {
    std::vector<std::string> names;
    store_->List(prefix, [&](const std::string& name, ByteCount) { names.push_back(name); });
    return names;
  }
};

TEST_P(BlobStoreSuite, GivesBackWhatWasPut) {
  store_->Put("packs/ab/one", AsBytes("hello"));
  EXPECT_EQ(AsText(store_->Get("packs/ab/one")), "hello");
  EXPECT_EQ(AsText(store_->GetRange("packs/ab/one", 1, 3)), "ell");
  EXPECT_EQ(store_->Size("packs/ab/one"), ByteCount{5});
}

TEST_P(BlobStoreSuite, IsWriteOnce) {
  store_->Put("a", AsBytes("first"));
  EXPECT_EQ(CodeOf([&] { store_->Put("a", AsBytes("second")); }), ErrorCode::kConflict);
  EXPECT_EQ(AsText(store_->Get("a")), "first");
}

TEST_P(BlobStoreSuite, SaysWhatIsNotThere) {
  EXPECT_EQ(CodeOf([&] { store_->Get("missing"); }), ErrorCode::kNotFound);
  EXPECT_EQ(CodeOf([&] { store_->GetRange("missing", 0, 1); }), ErrorCode::kNotFound);
  EXPECT_EQ(store_->Size("missing"), std::nullopt);
  EXPECT_NO_THROW(store_->Delete("missing"));
}

TEST_P(BlobStoreSuite, RefusesARangePastTheEnd) {
  store_->Put("a", AsBytes("12345"));
  EXPECT_EQ(CodeOf([&] { store_->GetRange("a", 3, 3); }), ErrorCode::kCorrupt);
  EXPECT_EQ(CodeOf([&] { store_->GetRange("a", 6, 0); }), ErrorCode::kCorrupt);
  EXPECT_EQ(CodeOf([&] { store_->GetRange("a", ~std::uint64_t{0}, 2); }), ErrorCode::kCorrupt);
  EXPECT_TRUE(store_->GetRange("a", 5, 0).empty());
}

TEST_P(BlobStoreSuite, NamesTheBlobInItsErrors) {
  store_->Put("a", AsBytes("12345"));
  EXPECT_EQ(MessageOf([&] { store_->Put("a", {}); }), "storing blob a: it exists");
  EXPECT_EQ(MessageOf([&] { store_->Get("x/y"); }), "reading blob x/y: there is none");
  EXPECT_EQ(MessageOf([&] { store_->GetRange("x/y", 0, 1); }), "reading blob x/y: there is none");
  EXPECT_EQ(MessageOf([&] { store_->GetRange("a", 3, 3); }), "reading blob a: it ends too early");
}

TEST_P(BlobStoreSuite, KeepsAnEmptyBlobAndALargeOne) {
  Bytes large(3U << 20);
  for (std::size_t i = 0; i < large.size(); ++i) {
    large[i] = static_cast<std::uint8_t>(i * 31 + (i >> 8));
  }
  store_->Put("empty", {});
  store_->Put("large", large);
  EXPECT_TRUE(store_->Get("empty").empty());
  EXPECT_EQ(store_->Size("empty"), ByteCount{0});
  EXPECT_EQ(store_->Get("large"), large);
}

TEST_P(BlobStoreSuite, LetsAVisitorCallTheStore) {
  store_->Put("a/1", AsBytes("x"));
  store_->Put("a/2", AsBytes("x"));
  store_->List("a/", [&](const std::string& name, ByteCount) { store_->Delete(name); });
  EXPECT_THAT(Names(""), testing::IsEmpty());
}

TEST_P(BlobStoreSuite, LetsExactlyOneOfManyWritersWin) {
  std::atomic<int> won{0};
  std::vector<std::jthread> writers;
  for (int i = 0; i < 8; ++i) {
    writers.emplace_back([&, i] {
      try {
        store_->Put("race/one", Bytes(1000, static_cast<std::uint8_t>(i)));
        ++won;
      } catch (const Error& error) {
        EXPECT_EQ(error.code(), ErrorCode::kConflict);
      }
    });
  }
  writers.clear();
  EXPECT_EQ(won, 1);
  const Bytes winner = store_->Get("race/one");
  EXPECT_EQ(winner, Bytes(1000, winner.at(0)));
}

TEST_P(BlobStoreSuite, ListsByPrefix) {
  for (const char* name : {"packs/a/1", "packs/b/2", "packsx", "index/1"}) {
    store_->Put(name, AsBytes("x"));
  }
  EXPECT_THAT(Names("packs/"), testing::UnorderedElementsAre("packs/a/1", "packs/b/2"));
  EXPECT_THAT(Names(""), testing::SizeIs(4));
  EXPECT_THAT(Names("nothing/"), testing::IsEmpty());
}

TEST_P(BlobStoreSuite, DeletedIsGone) {
  store_->Put("a/b", AsBytes("x"));
  store_->Delete("a/b");
  EXPECT_EQ(store_->Size("a/b"), std::nullopt);
  EXPECT_THAT(Names(""), testing::IsEmpty());
}

TEST_P(BlobStoreSuite, RefusesNamesThatLeaveTheStore) {
  for (const char* name :
       {"", "/a", "a/", "a//b", "..", "a/../b", ".", "A", "a b", "a\n", ".a", "a.tmp-1"}) {
    EXPECT_EQ(CodeOf([&] { store_->Put(name, AsBytes("x")); }), ErrorCode::kInvalidArgument)
        << name;
  }
}

}  // namespace tidemark::blob
