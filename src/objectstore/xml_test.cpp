#include "objectstore/xml.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/error.h"

namespace tidemark::objectstore {
namespace {

TEST(ParseXml, ReadsAnErrorOfS3) {
  const XmlElement error = ParseXml(
      "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Error><Code>NoSuchBucket</Code>"
      "<Message>The specified &lt;bucket&gt; &#228; &#x4e2d; &amp;c</Message><Empty/></Error>\n");
  EXPECT_EQ(error.name, "Error");
  EXPECT_EQ(error.TextOf("Code"), "NoSuchBucket");
  EXPECT_EQ(error.TextOf("Message"), "The specified <bucket> ä 中 &c");
  EXPECT_EQ(error.TextOf("Empty"), "");
  EXPECT_EQ(error.TextOf("Absent"), "");
}

TEST(ParseXml, ReadsListsWithNamespaces) {
  const XmlElement list = ParseXml(
      "<r:Result xmlns:r='http://s3.amazonaws.com/doc/2006-03-01/'><!-- x "
      "--><Upload><Key>a<![CDATA[<b>]]>"
      "</Key></Upload><Upload><Key>c</Key></Upload></r:Result>");
  EXPECT_EQ(list.name, "Result");
  ASSERT_EQ(list.children.size(), 2U);
  EXPECT_EQ(list.children[0].TextOf("Key"), "a<b>");
  EXPECT_EQ(list.children[1].TextOf("Key"), "c");
}

TEST(ParseXml, RefusesWhatIsNoAnswer) {
  std::string deep;
  for (int i = 0; i < 40; ++i) {
    deep += "<a>";
  }
  for (const std::string& text : {std::string(),
                                  std::string("<html><br></html>"),
                                  std::string("<a>"),
                                  std::string("<a></b>"),
                                  std::string("<a></a><b/>"),
                                  std::string("<a>&x;</a>"),
                                  std::string("<a>&#xD800;</a>"),
                                  std::string("<!DOCTYPE a [<!ENTITY x \"y\">]><a/>"),
                                  std::string("<a b=c/>"),
                                  deep,
                                  std::string(kMaxXml + 1, ' ')}) {
    try {
      ParseXml(text);
      ADD_FAILURE() << text.substr(0, 100);
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), ErrorCode::kCorrupt);
    }
  }
}

TEST(EscapeXml, ComesBack) {
  const std::string text = "a<b>&\"'ä";
  EXPECT_EQ(ParseXml("<k>" + EscapeXml(text) + "</k>").text, text);
}

}  // namespace
}  // namespace tidemark::objectstore
