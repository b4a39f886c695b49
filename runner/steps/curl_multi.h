#ifndef ASSAY_RUNNER_STEPS_CURL_MULTI_H_
#define ASSAY_RUNNER_STEPS_CURL_MULTI_H_

#include <curl/curl.h>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/steady_timer.hpp>
#include <map>
#include <memory>

namespace assay::steps {

// libcurl's multi interface on an io_context: curl's sockets are watched by an
// epoll of its own, and only that descriptor is Asio's business, so that curl
// keeps owning its sockets.
//
// Ownership: kept alive by its own coroutine until Close.
// Threads: confined to the run's thread.
class CurlMulti : public std::enable_shared_from_this<CurlMulti> {
 public:
  explicit CurlMulti(boost::asio::any_io_executor executor);
  ~CurlMulti();
  CurlMulti(const CurlMulti&) = delete;

  void Open();
  void Close();

  // Runs a prepared easy handle to its end.
  boost::asio::awaitable<CURLcode> Run(CURL* easy);

  const boost::asio::any_io_executor& executor() const { return executor_; }

 private:
  struct Transfer {
    explicit Transfer(boost::asio::any_io_executor executor);
    boost::asio::steady_timer finished;
    bool done = false;
    CURLcode result = CURLE_OK;
  };

  static int OnSocket(CURL*, curl_socket_t socket, int what, void* self,
                      void* known);
  static int OnTimer(CURLM*, long milliseconds, void* self);
  static boost::asio::awaitable<void> Watch(std::shared_ptr<CurlMulti> self);
  void Act(curl_socket_t socket, int events);
  void TakeFinished();

  boost::asio::any_io_executor executor_;
  CURLM* multi_;
  int epoll_;
  boost::asio::posix::stream_descriptor watched_;
  boost::asio::steady_timer timer_;
  std::map<CURL*, Transfer*> transfers_;
  bool closed_ = false;
};

}  // namespace assay::steps

#endif  // ASSAY_RUNNER_STEPS_CURL_MULTI_H_
