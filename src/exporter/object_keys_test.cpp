#include "exporter/object_keys.h"

#include <set>

#include <gtest/gtest.h>

namespace tidemark::exporter {
namespace {

TEST(KeyComponent, OrdinaryNamesStayThemselves) {
  for (const char* name :
       {"orders", "system.views", "a b+c", "über.中文", "...", "a~b", "Orders"}) {
    EXPECT_EQ(KeyComponent(name), name);
  }
}

TEST(KeyComponent, WhatAPathOrAKeyCannotHoldIsEscaped) {
  EXPECT_EQ(KeyComponent("a/b"), "a%2Fb");
  EXPECT_EQ(KeyComponent("a%2Fb"), "a%252Fb");
  EXPECT_EQ(KeyComponent("."), "%2E");
  EXPECT_EQ(KeyComponent(".."), "%2E%2E");
  EXPECT_EQ(KeyComponent("a\nb\\c"), "a%0Ab%5Cc");
  EXPECT_EQ(KeyComponent("a\xff\xc3"), "a%FF%C3");
  EXPECT_EQ(KeyComponent("\xED\xA0\x80"), "%ED%A0%80");
}

TEST(KeyComponent, LongNamesStayDistinctAndShort) {
  std::set<std::string> keys;
  std::size_t names = 0;
  for (const std::string& end : {"a", "b", "/", "%", "ä", "中"}) {
    for (const std::string& middle :
         {std::string("x"), std::string("ä"), std::string("/"), std::string("中")}) {
      std::string name;
      while (name.size() + middle.size() + end.size() <= 255) {
        name += middle;
      }
      const std::string key = KeyComponent(name + end);
      EXPECT_LE(key.size(), 200U);
      keys.insert(key);
      ++names;
    }
  }
  EXPECT_EQ(keys.size(), names);
}

TEST(ObjectKeys, AreThoseOfAtlas) {
  EXPECT_EQ(MetadataKey("p", "shop", "orders"), "p/shop/orders/metadata.json");
  EXPECT_EQ(DocumentsKey("p", "shop", "a/b", "rs0", 12), "p/shop/a%2Fb/rs0.12.json.gz");
  EXPECT_EQ(CompleteKey("p"), "p/.complete");
}

}  // namespace
}  // namespace tidemark::exporter
