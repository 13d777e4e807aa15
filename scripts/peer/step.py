"""Times one MeZO step in PyTorch, as the paper's public code runs it: the peer of `mezo bench step`.

    mezo bench prompts --batch 64 > prompts.json
    python step.py --ids prompts.json --shape base --tuning lora

transformers' RobertaForMaskedLM with random weights; sentences padded to the longest of their batch; the head for the
whole vocabulary at the mask; one `torch.normal` for each trained tensor and pass; four passes over the trained tensors a
step: to theta + eps z, to theta - eps z, back, and the update, each drawing z again (medium_models/src/trainer.py:226-247,
598-724). The last line printed is one JSON object.
"""

import argparse
import json
import resource
import statistics
import sys
import time

import torch
import transformers
from torch import nn

SHAPES = {"base": (12, 768, 12, 3072), "large": (24, 1024, 16, 4096)}
PAD = 1
EPS = 1e-3
LEARNING_RATE = 1e-6
WEIGHT_DECAY = 0.0
RANK, ALPHA = 8, 16


def arguments():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--ids", required=True, metavar="FILE", help="what `mezo bench prompts` prints")
    parser.add_argument("--shape", choices=SHAPES, default="base")
    parser.add_argument("--tuning", choices=["lora", "full"], default="lora")
    parser.add_argument("--dtype", choices=["f32", "f16", "bf16"], default="f32", help="of the whole model and the noise")
    parser.add_argument("--device", default="cpu", help="cpu, or cuda, cuda:1, ...")
    parser.add_argument("--threads", type=int, default=torch.get_num_threads())
    parser.add_argument("--steps", type=int, default=8, help="steps timed, the batches in turn; one on each before")
    return parser.parse_args()


class LoraLinear(nn.Module):
    """A frozen linear layer and its low-rank term, as loralib has it."""

    def __init__(self, frozen):
        super().__init__()
        self.frozen = frozen
        self.lora_A = nn.Parameter(frozen.weight.new_empty(RANK, frozen.in_features))
        self.lora_B = nn.Parameter(frozen.weight.new_zeros(frozen.out_features, RANK))
        nn.init.kaiming_uniform_(self.lora_A, a=5**0.5)

    def forward(self, x):
        return self.frozen(x) + (x @ self.lora_A.T @ self.lora_B.T) * (ALPHA / RANK)


def random_model(options):
    """The model, and its trained tensors in the order of `named_parameters`."""
    layers, hidden, heads, inner = SHAPES[options.shape]
    config = transformers.RobertaConfig(
        vocab_size=50265,
        max_position_embeddings=514,
        type_vocab_size=1,
        layer_norm_eps=1e-5,
        pad_token_id=PAD,
        num_hidden_layers=layers,
        hidden_size=hidden,
        num_attention_heads=heads,
        intermediate_size=inner,
    )
    model = transformers.RobertaForMaskedLM(config).eval().requires_grad_(False)
    if options.tuning == "lora":
        for layer in model.roberta.encoder.layer:
            attention = layer.attention.self
            attention.query = LoraLinear(attention.query)
            attention.value = LoraLinear(attention.value)
        model.requires_grad_(False)
    dtype = {"f32": torch.float32, "f16": torch.float16, "bf16": torch.bfloat16}[options.dtype]
    model = model.to(options.device, dtype)
    trained = [
        tensor for name, tensor in model.named_parameters() if options.tuning == "full" or ".lora_" in name
    ]
    return model, trained


class Batch:
    """Sentences padded to the longest of them."""

    def __init__(self, sentences, device):
        longest = max(len(sentence["ids"]) for sentence in sentences)
        ids = torch.full((len(sentences), longest), PAD)
        mask = torch.zeros_like(ids)
        for row, sentence in enumerate(sentences):
            ids[row, : len(sentence["ids"])] = torch.tensor(sentence["ids"])
            mask[row, : len(sentence["ids"])] = 1
        self.real, self.padded = int(mask.sum()), ids.numel()
        self.ids, self.mask = ids.to(device), mask.to(device)
        self.rows = torch.arange(len(sentences), device=device)
        self.asked = torch.tensor([sentence["asked"] for sentence in sentences], device=device)
        self.labels = torch.tensor([sentence["label"] for sentence in sentences], device=device)


@torch.inference_mode()
def loss(model, batch, words):
    """The cross-entropy over the label words: the whole vocabulary is scored first, at the mask alone."""
    hidden = model.roberta(batch.ids, attention_mask=batch.mask)[0]
    scores = model.lm_head(hidden[batch.rows, batch.asked])[:, words]
    return nn.functional.cross_entropy(scores.float(), batch.labels)


def noise(tensor):
    return torch.normal(mean=0, std=1, size=tensor.size(), device=tensor.device, dtype=tensor.dtype)


def perturb(trained, seed, scale):
    torch.manual_seed(seed)
    for tensor in trained:
        tensor.data = tensor.data + scale * noise(tensor) * EPS


def update(trained, seed, projected_grad):
    torch.manual_seed(seed)
    for tensor in trained:
        slope = projected_grad.to(tensor.dtype) * noise(tensor)
        tensor.data = tensor.data - LEARNING_RATE * (slope + WEIGHT_DECAY * tensor.data)


class Watch:
    """Seconds by what they went to. A GPU's work is waited for."""

    def __init__(self, device):
        self.device = device
        self.spent = {"forward": 0.0, "perturb": 0.0}

    def now(self):
        if self.device.startswith("cuda"):
            torch.cuda.synchronize(self.device)
        return time.perf_counter()

    def time(self, phase, work, *given):
        start = self.now()
        made = work(*given)
        self.spent[phase] += self.now() - start
        return made


def step(model, trained, batch, words, seed, device):
    """One step: its seconds in all, in forward passes, and in passes over the trained tensors."""
    watch = Watch(device)
    start = watch.now()
    watch.time("perturb", perturb, trained, seed, 1)
    plus = watch.time("forward", loss, model, batch, words)
    watch.time("perturb", perturb, trained, seed, -2)
    minus = watch.time("forward", loss, model, batch, words)
    watch.time("perturb", perturb, trained, seed, 1)
    watch.time("perturb", update, trained, seed, (plus - minus) / (2 * EPS))
    return watch.now() - start, watch.spent["forward"], watch.spent["perturb"]


def mean_of_medians(by_batch):
    """A batch's median over its steps, and the mean over the batches: as `mezo bench step` sums up its own."""
    seen = [steps for steps in by_batch if steps]
    columns = zip(*([statistics.median(column) for column in zip(*steps)] for steps in seen))
    return [statistics.fmean(column) for column in columns]


def peak_bytes(device):
    if device.startswith("cuda"):
        return torch.cuda.max_memory_allocated(device)
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def main():
    options = arguments()
    torch.set_num_threads(options.threads)
    torch.manual_seed(0)
    with open(options.ids) as file:
        prompts = json.load(file)
    model, trained = random_model(options)
    batches = [Batch(sentences, options.device) for sentences in prompts["batches"]]
    words = prompts["words"]
    with torch.no_grad():
        # Padded to different lengths, every batch has products of its own sizes to be set up at first sight.
        for seed, batch in enumerate(batches):
            step(model, trained, batch, words, seed, options.device)
        by_batch = [[] for _ in batches]
        for number in range(options.steps):
            at = number % len(batches)
            seed = len(batches) + number
            by_batch[at].append(step(model, trained, batches[at], words, seed, options.device))
            print(f"step {number + 1}: {by_batch[at][-1][0]:.3f} s", file=sys.stderr)
    step_s, forward_s, perturb_s = mean_of_medians(by_batch)
    used = [batch for batch, steps in zip(batches, by_batch) if steps]
    report = {
        "shape": options.shape,
        "tuning": options.tuning,
        "dtype": options.dtype,
        "device": options.device,
        "threads": torch.get_num_threads(),
        "steps": options.steps,
        "step_s": step_s,
        "forward_s": forward_s,
        "perturb_s": perturb_s,
        "tokens_real": statistics.fmean(batch.real for batch in used),
        "tokens_padded": statistics.fmean(batch.padded for batch in used),
        "trained_scalars": sum(tensor.numel() for tensor in trained),
        "peak_bytes": peak_bytes(options.device),
        "attention": model.config._attn_implementation,
        "torch": torch.__version__,
        "transformers": transformers.__version__,
    }
    print(json.dumps(report))


main()
