// SPDX-License-Identifier: Apache-2.0
// Copyright (c) The HUD developers

#include "Device.h"

#include "hud/core/NamedValue.h"

#include <algorithm>
#include <thread>

#ifdef __GLIBC__
#include <malloc.h>
#endif

namespace hud
{

namespace
{

enum class Choice
{
  Auto,
  Cpu,
  Cuda
};

constexpr std::array<NamedValue<Choice>, 3> kChoices = {
    {{"auto", Choice::Auto}, {"cpu", Choice::Cpu}, {"cuda", Choice::Cuda}}};

/// Lets the process keep what it frees. An iteration allocates and frees the same tensors of some megabytes as the last one; a
/// tenth of its time would go into handing them to the system and getting them back as pages of zeros.
void KeepFreedMemory()
{
#ifdef __GLIBC__
  mallopt(M_MMAP_THRESHOLD, 32 << 20);
  mallopt(M_TRIM_THRESHOLD, 512 << 20);
#endif
}

} // namespace

torch::Device SelectDevice(const ExecutionOptions& options)
{
  const Choice choice = ParseNamedValue(kChoices, options.m_Device, "device");
  if (options.m_Threads < 0)
  {
    throw InvalidOption("the number of threads is " + std::to_string(options.m_Threads) + ", expected at least 0");
  }
  KeepFreedMemory();
  const int cores = std::max(static_cast<int>(std::thread::hardware_concurrency()), 1);
  at::set_num_threads(options.m_Threads == 0 ? cores : options.m_Threads);
  at::globalContext().setDeterministicCuDNN(true);
  at::globalContext().setBenchmarkCuDNN(false);

  const bool cudaAvailable = choice != Choice::Cpu && torch::cuda::is_available();
  if (choice == Choice::Cuda && !cudaAvailable)
  {
    throw InvalidOption("the device is 'cuda', but LibTorch finds no CUDA GPU here: expected auto or cpu");
  }
  return cudaAvailable ? torch::Device(torch::kCUDA, 0) : torch::Device(torch::kCPU);
}

std::string DescribeDevice(const torch::Device& device)
{
  if (device.is_cuda())
  {
    return "CUDA GPU " + std::to_string(device.index());
  }
  return "CPU, " + std::to_string(at::get_num_threads()) + " threads";
}

} // namespace hud
