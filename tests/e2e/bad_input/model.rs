//! What is wrong with a model's name, its folder and its small files.

use insta::assert_snapshot;

use super::weights::{MODEL, world};
use super::world::World;

const BUILTIN: &str = "builtin = \"roberta-imdb-tiny\"";

#[test]
fn an_unknown_builtin_model_is_refused() {
    assert_snapshot!(World::with(&[(BUILTIN, "builtin = \"roberta-tiny\"")]).refused(), @r#"
    error: experiments/small.toml:4:11: there is no built-in model `roberta-tiny`
      |
    4 | builtin = "roberta-tiny"
      |           ^^^^^^^^^^^^^^
    hint: the built-in models: roberta-imdb-tiny
    "#);
}

#[test]
fn a_model_is_named_once() {
    assert_snapshot!(World::with(&[(BUILTIN, "")]).refused(), @"
    error: experiments/small.toml:3:1: expected one of `builtin`, `path` and `hub` in [model], found none
      |
    3 | [model]
      | ^^^^^^^
    hint: name the model by one of them
    ");
    let both = format!("{BUILTIN}\npath = \"../model\"");
    assert_snapshot!(World::with(&[(BUILTIN, &both)]).refused(), @"
    error: experiments/small.toml:3:1: expected one of `builtin`, `path` and `hub` in [model], found more
      |
    3 | [model]
      | ^^^^^^^
    hint: name the model by one of them
    ");
}

#[test]
fn precisions_that_the_processor_has_not_are_no_sweep() {
    let (eps, swept) = (
        "eps = [1e-3]",
        "eps = [1e-3]\n\"model.precision\" = [\"f32\", \"f16\"]",
    );
    assert_snapshot!(World::with(&[(eps, swept)]).refused(), @r#"
    error: experiments/small.toml:24:29: f32 and f16 are both computed in f32 on the processor
       |
    24 | "model.precision" = ["f32", "f16"]
       |                             ^^^^^
    hint: sweep precisions on a GPU (--devices cuda:0), or name one
    "#);
}

#[test]
fn an_unknown_precision_gets_the_nearest() {
    let written = format!("{BUILTIN}\nprecision = \"tf23\"");
    assert_snapshot!(World::with(&[(BUILTIN, &written)]).refused(), @r#"
    error: experiments/small.toml:5:13: unknown value `tf23` for `model.precision`
      |
    5 | precision = "tf23"
      |             ^^^^^^
    hint: did you mean `tf32`? it is one of: `f32`, `tf32`, `f16`, `bf16`
    "#);
    let (eps, swept) = (
        "eps = [1e-3]",
        "eps = [1e-3]\n\"model.precision\" = [\"f32\", \"half\"]",
    );
    assert_snapshot!(World::with(&[(eps, swept)]).refused(), @r#"
    error: experiments/small.toml:24:29: unknown value `half` for `model.precision`
       |
    24 | "model.precision" = ["f32", "half"]
       |                             ^^^^^^
    hint: it is one of: `f32`, `tf32`, `f16`, `bf16`
    "#);
}

#[test]
fn a_folder_that_is_not_there_is_shown_where_it_is_named() {
    let nowhere = World::with(&[(BUILTIN, "path = \"../models/roberta-base\"")]);
    assert_snapshot!(nowhere.unresolved(), @r#"
    error: experiments/small.toml:4:8: experiments/../models/roberta-base: there is no such model folder
      |
    4 | path = "../models/roberta-base"
      |        ^^^^^^^^^^^^^^^^^^^^^^^^
    hint: put a model there in Hugging Face's layout (config.json, model.safetensors, and tokenizer.json or vocab.json with merges.txt), or name another folder with `--model DIR`
    "#);
    assert_snapshot!(World::finished().unresolved_with(&["--model", "nowhere"]), @r"
    error: <here>/nowhere: there is no such model folder
    hint: put a model there in Hugging Face's layout (config.json, model.safetensors, and tokenizer.json or vocab.json with merges.txt), or name another folder with `--model DIR`
    ");
}

#[test]
fn every_file_of_a_model_is_needed() {
    for file in ["config.json", "tokenizer.json", "model.safetensors"] {
        let world = world();
        world.remove(&format!("{MODEL}/{file}"));
        let said = world.unresolved();
        match file {
            "config.json" => assert_snapshot!(said, @r"
            error: experiments/../models/tiny/config.json: cannot be read: No such file or directory (os error 2)
            hint: put a model there in Hugging Face's layout (config.json, model.safetensors, and tokenizer.json or vocab.json with merges.txt), or name another folder with `--model DIR`
            "),
            "tokenizer.json" => {
                assert_snapshot!(said, @"error: experiments/../models/tiny: expected a tokenizer (tokenizer.json, or vocab.json and merges.txt), found nothing there")
            }
            _ => assert_snapshot!(said, @r"
            error: experiments/../models/tiny: holds neither model.safetensors nor model.safetensors.index.json
            hint: put a model there in Hugging Face's layout (config.json, model.safetensors, and tokenizer.json or vocab.json with merges.txt), or name another folder with `--model DIR`
            "),
        }
    }
}

#[test]
fn a_configuration_is_one_of_a_roberta() {
    let config = format!("{MODEL}/config.json");
    let edited = |old, new| {
        let world = world();
        world.edit(&config, old, new);
        world.refused()
    };
    assert_snapshot!(edited("\"roberta\"", "\"bert\""), @"error: experiments/../models/tiny/config.json: model_type is `bert`, expected `roberta`");
    assert_snapshot!(edited("\"vocab_size\": 8192", "\"vocab_size\": 100"), @r"
    error: experiments/../models/tiny/model.safetensors: tensor `roberta.embeddings.word_embeddings.weight` has shape [8192, 128], expected [100, 128]
    hint: config.json and the weights must come from the same model
    ");
    assert_snapshot!(edited("\"hidden_size\": 128,", "\"hidden_size\": \"wide\","), @r#"error: experiments/../models/tiny/config.json:13:23: invalid type: string "wide", expected a whole number"#);
    assert_snapshot!(edited("\"hidden_size\": 128,", ""), @"error: experiments/../models/tiny/config.json:28:1: missing field `hidden_size`");
    assert_snapshot!(edited("\"hidden_size\": 128,", "\"hidden_size\" 128,"), @"error: experiments/../models/tiny/config.json:13:17: expected `:`");
}

#[test]
fn a_tokenizer_is_json() {
    let world = world();
    world.write(
        format!("{MODEL}/tokenizer.json"),
        "{\n  \"version\": \"1.0\",\n",
    );
    assert_snapshot!(world.refused(), @r"error: experiments/../models/tiny/tokenizer.json:3:1: expected a tokenizer in JSON: EOF while parsing a value");
    world.write(
        format!("{MODEL}/tokenizer.json"),
        "{ \"version\": \"1.0\" }",
    );
    assert_snapshot!(world.refused(), @"error: experiments/../models/tiny/tokenizer.json: expected a tokenizer: Model missing.");
}
