#include "runner/steps/http_evidence.h"

#include <gmock/gmock.h>

#include "tests/runner/steps/scripted_server.h"
#include "tests/runner/steps/step_fixture.h"

namespace assay::steps {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;

class HttpEvidenceTest : public tests::StepFixture {
 protected:
  // Of every request, in order.
  std::vector<std::string> Attributes(const std::string& key) const {
    std::vector<std::string> found;
    for (const auto& span : spans_)
      for (const auto& pair : span.attributes())
        if (pair.key() == key) found.push_back(pair.value().string_value());
    return found;
  }
};

TEST_F(HttpEvidenceTest, ARequestAndItsAnswerStandInTheSpan) {
  tests::ScriptedServer server([](const std::string&, int fd) {
    return tests::ScriptedServer::Write(
        fd,
        "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n"
        "set-cookie: sid=very-private\r\ncontent-length: 14\r\n\r\n"
        "{\"left\": \"two\"}");
  });
  const auto outcome = RunSteps(server.port(), R"(
      - get: /login
        cookies: true
      - get: /stock?sku=a
        cookies: true
        auth: { bearer: a-private-token }
        headers: { X-Trial: "7" }
)");
  EXPECT_TRUE(outcome.passed()) << outcome.reason;
  EXPECT_THAT(Attributes("assay.http.request"),
              ElementsAre("",
                          "x-trial: 7\nauthorization: [hidden]\n"
                          "cookie: [hidden]\n"));
  const auto answers = Attributes("assay.http.response");
  ASSERT_EQ(answers.size(), 2U);
  EXPECT_THAT(answers[1], AllOf(HasSubstr("content-type: application/json\n"),
                                HasSubstr("\n\n{\"left\": \"two\""),
                                Not(HasSubstr("very-private"))));
}

TEST_F(HttpEvidenceTest, BodiesAreKeptInTheBeginningAndFieldsByName) {
  HttpRequest request;
  request.method = "POST";
  request.headers = {{"content-type", "text/plain"}};
  request.body = std::string(5000, 'x');
  EXPECT_THAT(ShowRequest(request, false), HasSubstr("(and 904 bytes more)"));
  request.headers.clear();
  request.body.reset();
  request.parts = {{.name = "title", .value = "Plan"},
                   {.name = "file", .value = "%PDF", .filename = "a.pdf"}};
  EXPECT_EQ(ShowRequest(request, false),
            "content-type: multipart/form-data\n\n"
            "title=Plan\nfile=@a.pdf\n");
}

}  // namespace
}  // namespace assay::steps
