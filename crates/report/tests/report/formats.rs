//! The results table in every form.

use std::path::Path;

use mezo_report::{Format, SweepRuns, Table, table};

use crate::fixture::quickstart;

fn read(runs_dir: &Path) -> Table {
    table(&SweepRuns::read(runs_dir).unwrap())
}

#[test]
fn markdown() {
    let dir = tempfile::tempdir().unwrap();
    quickstart(dir.path());
    insta::assert_snapshot!(read(dir.path()).render(Format::Markdown), @r"
    # fixture

    roberta-imdb-tiny, made-sentiment, k 512, MeZO (LoRA), batch 64, steps 1000, weight decay 0, made data

    | method | k | lr | eps | steps | seeds | acc, best dev | CE, best dev | acc, last step | CE, last step | acc gain (SE; ratio) | CE gain (SE; ratio) |
    | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- | --- |
    | zero-shot | 512 | - | - | - | - | 60.0 | 0.6800 | 60.0 | 0.6800 | - | - |
    | MeZO (LoRA) | 512 | 1e-4 | 1e-3 | 1000 | 2 | 67.0 (1.0) | 0.6100 (0.0100) | 66.0 (1.0) | 0.6200 (0.0100) | +7.0 (1.00; +7.0) | -0.0700 (0.0100; -7.0) |
    | MeZO (LoRA) | 512 | 1e-4 | 3e-3 | 1000 | 2 | 66.0 (1.0) | 0.6200 (0.0100) | 65.0 (1.0) | 0.6300 (0.0100) | +6.0 (1.00; +6.0) | -0.0600 (0.0100; -6.0) |
    | MeZO (LoRA) | 512 | 3e-4 | 1e-3 | 1000 | 2 | 84.0 (1.0) | 0.4400 (0.0100) | 83.0 (1.0) | 0.4500 (0.0100) | +24.0 (1.00; +24.0) | -0.2400 (0.0100; -24.0) |
    | MeZO (LoRA) | 512 | 3e-4 | 3e-3 | 1000 | 2 | 83.0 (1.0) | 0.4500 (0.0100) | 82.0 (1.0) | 0.4600 (0.0100) | +23.0 (1.00; +23.0) | -0.2300 (0.0100; -23.0) |
    | **MeZO (LoRA), selected as published** | **512** | **per seed** | **per seed** | **1000** | **2** | **84.0 (1.0)** | **0.4400 (0.0100)** | **83.0 (1.0)** | **0.4500 (0.0100)** | **+24.0 (1.00; +24.0)** | **-0.2400 (0.0100; -24.0)** |
    | MeZO (LoRA), selected, last step | 512 | per seed | per seed | 1000 | 2 | - | - | 83.0 (1.0) | 0.4500 (0.0100) | +23.0 (1.00; +23.0) | -0.2300 (0.0100; -23.0) |
    | MeZO (LoRA), best fixed configuration | 512 | 3e-4 | 1e-3 | 1000 | 2 | 84.0 (1.0) | 0.4400 (0.0100) | 83.0 (1.0) | 0.4500 (0.0100) | +24.0 (1.00; +24.0) | -0.2400 (0.0100; -24.0) |

    - made, not found: the task's sentences come from this project's own grammar
    - accuracy in percent and cross-entropy on the test set, mean (standard deviation over seeds, ddof 0), at the step with the best dev accuracy and at the last step; gain: at best dev (in a row of last steps, there) minus zero-shot, with (the mean's standard error, ddof 1; the mean in standard errors); a cross-entropy gain below zero is better
    - 2 seeds: 13, 21
    - MeZO (LoRA), partial grid: model roberta-imdb-tiny (paper: roberta-large); task made-sentiment (not in the paper's Table 18); lr 1e-4, 3e-4 (paper: 1e-5, 5e-5, 1e-4); eps 1e-3, 3e-3 (paper: 1e-3); weight decay 0 (paper: 0.1); steps 1,000 (paper: 100,000); evaluation every 250 steps (paper: every tenth of the steps); seeds 13, 21 (paper: 13, 21, 42, 87, 100)
    - MeZO (LoRA), selected as published (per seed the configuration with the best dev accuracy): seed 13: lr 3e-4, eps 1e-3; seed 21: lr 3e-4, eps 1e-3
    - selected, last step: the same runs where their training ended, no step chosen
    - best fixed configuration: the one with the best mean dev accuracy, for all seeds
    - protocol paper: the method as the paper describes it (docs/protocols.md)
    - precision f32, mezo 0.1.0
    - training loss, lr 1e-4, eps 1e-3: the loss falls in 2 of 2 runs (-0.0568 per 1,000 steps on average)
    - training loss, lr 1e-4, eps 3e-3: the loss falls in 2 of 2 runs (-0.0494 per 1,000 steps on average)
    - training loss, lr 3e-4, eps 1e-3: the loss falls in 2 of 2 runs (-0.187 per 1,000 steps on average)
    - training loss, lr 3e-4, eps 3e-3: the loss falls in 2 of 2 runs (-0.180 per 1,000 steps on average)
    ");
}

#[test]
fn human() {
    let dir = tempfile::tempdir().unwrap();
    quickstart(dir.path());
    insta::assert_snapshot!(read(dir.path()).render(Format::Human), @r"
    fixture: roberta-imdb-tiny, made-sentiment, k 512, MeZO (LoRA), batch 64, steps 1000, weight decay 0, made data
    ──────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────
     method                     lr         eps        seeds   acc          CE                acc          CE                acc gain              CE gain
                                                              best dev     best dev          last step    last step         (SE; ratio)           (SE; ratio)
    ──────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────
     zero-shot                  -          -          -       60.0         0.6800            60.0         0.6800            -                     -
     MeZO (LoRA)                1e-4       1e-3       2       67.0 (1.0)   0.6100 (0.0100)   66.0 (1.0)   0.6200 (0.0100)   +7.0 (1.00; +7.0)     -0.0700 (0.0100; -7.0)
     MeZO (LoRA)                1e-4       3e-3       2       66.0 (1.0)   0.6200 (0.0100)   65.0 (1.0)   0.6300 (0.0100)   +6.0 (1.00; +6.0)     -0.0600 (0.0100; -6.0)
     MeZO (LoRA)                3e-4       1e-3       2       84.0 (1.0)   0.4400 (0.0100)   83.0 (1.0)   0.4500 (0.0100)   +24.0 (1.00; +24.0)   -0.2400 (0.0100; -24.0)
     MeZO (LoRA)                3e-4       3e-3       2       83.0 (1.0)   0.4500 (0.0100)   82.0 (1.0)   0.4600 (0.0100)   +23.0 (1.00; +23.0)   -0.2300 (0.0100; -23.0)
     MeZO (LoRA)                per seed   per seed   2       84.0 (1.0)   0.4400 (0.0100)   83.0 (1.0)   0.4500 (0.0100)   +24.0 (1.00; +24.0)   -0.2400 (0.0100; -24.0)
     selected as published
     MeZO (LoRA)                per seed   per seed   2       -            -                 83.0 (1.0)   0.4500 (0.0100)   +23.0 (1.00; +23.0)   -0.2300 (0.0100; -23.0)
     selected
     last step
     MeZO (LoRA)                3e-4       1e-3       2       84.0 (1.0)   0.4400 (0.0100)   83.0 (1.0)   0.4500 (0.0100)   +24.0 (1.00; +24.0)   -0.2400 (0.0100; -24.0)
     best fixed configuration
    ──────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────────
    - made, not found: the task's sentences come from this project's own grammar
    - accuracy in percent and cross-entropy on the test set, mean (standard deviation over seeds, ddof 0), at the step with the best dev accuracy and at the last step; gain: at best dev (in a row of last steps, there) minus zero-shot, with (the mean's standard error, ddof 1; the mean in standard errors); a cross-entropy gain below zero is better
    - 2 seeds: 13, 21
    - MeZO (LoRA), partial grid: model roberta-imdb-tiny (paper: roberta-large); task made-sentiment (not in the paper's Table 18); lr 1e-4, 3e-4 (paper: 1e-5, 5e-5, 1e-4); eps 1e-3, 3e-3 (paper: 1e-3); weight decay 0 (paper: 0.1); steps 1,000 (paper: 100,000); evaluation every 250 steps (paper: every tenth of the steps); seeds 13, 21 (paper: 13, 21, 42, 87, 100)
    - MeZO (LoRA), selected as published (per seed the configuration with the best dev accuracy): seed 13: lr 3e-4, eps 1e-3; seed 21: lr 3e-4, eps 1e-3
    - selected, last step: the same runs where their training ended, no step chosen
    - best fixed configuration: the one with the best mean dev accuracy, for all seeds
    - protocol paper: the method as the paper describes it (docs/protocols.md)
    - precision f32, mezo 0.1.0
    - training loss, lr 1e-4, eps 1e-3: the loss falls in 2 of 2 runs (-0.0568 per 1,000 steps on average)
    - training loss, lr 1e-4, eps 3e-3: the loss falls in 2 of 2 runs (-0.0494 per 1,000 steps on average)
    - training loss, lr 3e-4, eps 1e-3: the loss falls in 2 of 2 runs (-0.187 per 1,000 steps on average)
    - training loss, lr 3e-4, eps 3e-3: the loss falls in 2 of 2 runs (-0.180 per 1,000 steps on average)
    ");
}

#[test]
fn csv() {
    let dir = tempfile::tempdir().unwrap();
    quickstart(dir.path());
    insta::assert_snapshot!(read(dir.path()).render(Format::Csv), @r#"
    row,model,task,k,method,tuning,lr,eps,batch_size,weight_decay,steps,template,protocol,method_label,weights,model_config,tokenizer,train_data,test_data,made_by,seeds,dev_accuracy_n,dev_accuracy_mean,dev_accuracy_std,test_accuracy_best_n,test_accuracy_best_mean,test_accuracy_best_std,test_cross_entropy_best_n,test_cross_entropy_best_mean,test_cross_entropy_best_std,test_accuracy_last_n,test_accuracy_last_mean,test_accuracy_last_std,test_cross_entropy_last_n,test_cross_entropy_last_mean,test_cross_entropy_last_std,accuracy_gain_mean,accuracy_gain_standard_error,accuracy_gain_ratio,cross_entropy_gain_mean,cross_entropy_gain_standard_error,cross_entropy_gain_ratio,paper_mean,paper_std,difference,grid,differs_in,dev_only,zero_estimates,made_data
    zero-shot,roberta-imdb-tiny,made-sentiment,512,zero-shot,,,,,,,*cls**sent_0*_It_was*mask*.*sep+*,paper,zero-shot,,,,,,,,,,,1,60,0,1,0.68,0,1,60,0,1,0.68,0,,,,,,,,,,,model roberta-imdb-tiny (paper: roberta-large); task made-sentiment (not in the paper's Table 18),false,,true
    cell,roberta-imdb-tiny,made-sentiment,512,mezo,lora,1e-4,1e-3,64,0,1000,*cls**sent_0*_It_was*mask*.*sep+*,paper,MeZO (LoRA),,,,,,,13 21,2,68,1,2,67,1.000000000000007,2,0.61,0.010000000000000009,2,66,1.000000000000007,2,0.62,0.010000000000000009,6.999999999999993,1.000000000000007,6.999999999999943,-0.07000000000000006,0.010000000000000009,-7,,,,partial grid,"model roberta-imdb-tiny (paper: roberta-large); task made-sentiment (not in the paper's Table 18); lr 1e-4, 3e-4 (paper: 1e-5, 5e-5, 1e-4); eps 1e-3, 3e-3 (paper: 1e-3); weight decay 0 (paper: 0.1); steps 1,000 (paper: 100,000); evaluation every 250 steps (paper: every tenth of the steps); seeds 13, 21 (paper: 13, 21, 42, 87, 100)",false,,true
    cell,roberta-imdb-tiny,made-sentiment,512,mezo,lora,1e-4,3e-3,64,0,1000,*cls**sent_0*_It_was*mask*.*sep+*,paper,MeZO (LoRA),,,,,,,13 21,2,67,1.000000000000007,2,66,1.000000000000007,2,0.62,0.010000000000000009,2,64.99999999999999,0.9999999999999964,2,0.63,0.010000000000000009,5.999999999999993,1.000000000000007,5.99999999999995,-0.06000000000000005,0.010000000000000009,-6,,,,partial grid,"model roberta-imdb-tiny (paper: roberta-large); task made-sentiment (not in the paper's Table 18); lr 1e-4, 3e-4 (paper: 1e-5, 5e-5, 1e-4); eps 1e-3, 3e-3 (paper: 1e-3); weight decay 0 (paper: 0.1); steps 1,000 (paper: 100,000); evaluation every 250 steps (paper: every tenth of the steps); seeds 13, 21 (paper: 13, 21, 42, 87, 100)",false,,true
    cell,roberta-imdb-tiny,made-sentiment,512,mezo,lora,3e-4,1e-3,64,0,1000,*cls**sent_0*_It_was*mask*.*sep+*,paper,MeZO (LoRA),,,,,,,13 21,2,84.99999999999999,1,2,83.99999999999999,1,2,0.44,0.010000000000000009,2,82.99999999999999,1,2,0.45,0.010000000000000009,23.999999999999986,1,23.999999999999986,-0.24000000000000005,0.010000000000000009,-23.999999999999982,,,,partial grid,"model roberta-imdb-tiny (paper: roberta-large); task made-sentiment (not in the paper's Table 18); lr 1e-4, 3e-4 (paper: 1e-5, 5e-5, 1e-4); eps 1e-3, 3e-3 (paper: 1e-3); weight decay 0 (paper: 0.1); steps 1,000 (paper: 100,000); evaluation every 250 steps (paper: every tenth of the steps); seeds 13, 21 (paper: 13, 21, 42, 87, 100)",false,,true
    cell,roberta-imdb-tiny,made-sentiment,512,mezo,lora,3e-4,3e-3,64,0,1000,*cls**sent_0*_It_was*mask*.*sep+*,paper,MeZO (LoRA),,,,,,,13 21,2,83.99999999999999,1,2,82.99999999999999,1,2,0.45,0.010000000000000009,2,81.99999999999999,1,2,0.46,0.010000000000000009,22.999999999999986,1,22.999999999999986,-0.23000000000000004,0.010000000000000009,-22.999999999999982,,,,partial grid,"model roberta-imdb-tiny (paper: roberta-large); task made-sentiment (not in the paper's Table 18); lr 1e-4, 3e-4 (paper: 1e-5, 5e-5, 1e-4); eps 1e-3, 3e-3 (paper: 1e-3); weight decay 0 (paper: 0.1); steps 1,000 (paper: 100,000); evaluation every 250 steps (paper: every tenth of the steps); seeds 13, 21 (paper: 13, 21, 42, 87, 100)",false,,true
    selected as published,roberta-imdb-tiny,made-sentiment,512,mezo,lora,per seed,per seed,64,0,1000,*cls**sent_0*_It_was*mask*.*sep+*,paper,MeZO (LoRA),,,,,,,13 21,2,84.99999999999999,1,2,83.99999999999999,1,2,0.44,0.010000000000000009,2,82.99999999999999,1,2,0.45,0.010000000000000009,23.999999999999986,1,23.999999999999986,-0.24000000000000005,0.010000000000000009,-23.999999999999982,,,,partial grid,"model roberta-imdb-tiny (paper: roberta-large); task made-sentiment (not in the paper's Table 18); lr 1e-4, 3e-4 (paper: 1e-5, 5e-5, 1e-4); eps 1e-3, 3e-3 (paper: 1e-3); weight decay 0 (paper: 0.1); steps 1,000 (paper: 100,000); evaluation every 250 steps (paper: every tenth of the steps); seeds 13, 21 (paper: 13, 21, 42, 87, 100)",false,,true
    "selected, last step",roberta-imdb-tiny,made-sentiment,512,mezo,lora,per seed,per seed,64,0,1000,*cls**sent_0*_It_was*mask*.*sep+*,paper,MeZO (LoRA),,,,,,,13 21,2,83.99999999999999,1,,,,,,,2,82.99999999999999,1,2,0.45,0.010000000000000009,22.999999999999986,1,22.999999999999986,-0.23000000000000004,0.010000000000000009,-22.999999999999982,,,,partial grid,"model roberta-imdb-tiny (paper: roberta-large); task made-sentiment (not in the paper's Table 18); lr 1e-4, 3e-4 (paper: 1e-5, 5e-5, 1e-4); eps 1e-3, 3e-3 (paper: 1e-3); weight decay 0 (paper: 0.1); steps 1,000 (paper: 100,000); evaluation every 250 steps (paper: every tenth of the steps); seeds 13, 21 (paper: 13, 21, 42, 87, 100)",false,,true
    best fixed configuration,roberta-imdb-tiny,made-sentiment,512,mezo,lora,3e-4,1e-3,64,0,1000,*cls**sent_0*_It_was*mask*.*sep+*,paper,MeZO (LoRA),,,,,,,13 21,2,84.99999999999999,1,2,83.99999999999999,1,2,0.44,0.010000000000000009,2,82.99999999999999,1,2,0.45,0.010000000000000009,23.999999999999986,1,23.999999999999986,-0.24000000000000005,0.010000000000000009,-23.999999999999982,,,,partial grid,"model roberta-imdb-tiny (paper: roberta-large); task made-sentiment (not in the paper's Table 18); lr 1e-4, 3e-4 (paper: 1e-5, 5e-5, 1e-4); eps 1e-3, 3e-3 (paper: 1e-3); weight decay 0 (paper: 0.1); steps 1,000 (paper: 100,000); evaluation every 250 steps (paper: every tenth of the steps); seeds 13, 21 (paper: 13, 21, 42, 87, 100)",false,,true
    "#);
}

#[test]
fn latex() {
    let dir = tempfile::tempdir().unwrap();
    quickstart(dir.path());
    insta::assert_snapshot!(read(dir.path()).render(Format::Latex), @r"
    \begin{table}
    \centering
    \begin{tabular}{lrrrrrrrrrrr}
    \hline
    method & k & lr & eps & steps & seeds & acc, best dev & CE, best dev & acc, last step & CE, last step & acc gain (SE; ratio) & CE gain (SE; ratio) \\
    \hline
    zero-shot & 512 & - & - & - & - & 60.0 & 0.6800 & 60.0 & 0.6800 & - & - \\
    MeZO (LoRA) & 512 & 1e-4 & 1e-3 & 1000 & 2 & 67.0 (1.0) & 0.6100 (0.0100) & 66.0 (1.0) & 0.6200 (0.0100) & +7.0 (1.00; +7.0) & -0.0700 (0.0100; -7.0) \\
    MeZO (LoRA) & 512 & 1e-4 & 3e-3 & 1000 & 2 & 66.0 (1.0) & 0.6200 (0.0100) & 65.0 (1.0) & 0.6300 (0.0100) & +6.0 (1.00; +6.0) & -0.0600 (0.0100; -6.0) \\
    MeZO (LoRA) & 512 & 3e-4 & 1e-3 & 1000 & 2 & 84.0 (1.0) & 0.4400 (0.0100) & 83.0 (1.0) & 0.4500 (0.0100) & +24.0 (1.00; +24.0) & -0.2400 (0.0100; -24.0) \\
    MeZO (LoRA) & 512 & 3e-4 & 3e-3 & 1000 & 2 & 83.0 (1.0) & 0.4500 (0.0100) & 82.0 (1.0) & 0.4600 (0.0100) & +23.0 (1.00; +23.0) & -0.2300 (0.0100; -23.0) \\
    MeZO (LoRA), selected as published & 512 & per seed & per seed & 1000 & 2 & 84.0 (1.0) & 0.4400 (0.0100) & 83.0 (1.0) & 0.4500 (0.0100) & +24.0 (1.00; +24.0) & -0.2400 (0.0100; -24.0) \\
    MeZO (LoRA), selected, last step & 512 & per seed & per seed & 1000 & 2 & - & - & 83.0 (1.0) & 0.4500 (0.0100) & +23.0 (1.00; +23.0) & -0.2300 (0.0100; -23.0) \\
    MeZO (LoRA), best fixed configuration & 512 & 3e-4 & 1e-3 & 1000 & 2 & 84.0 (1.0) & 0.4400 (0.0100) & 83.0 (1.0) & 0.4500 (0.0100) & +24.0 (1.00; +24.0) & -0.2400 (0.0100; -24.0) \\
    \hline
    \end{tabular}
    \caption{fixture: roberta-imdb-tiny, made-sentiment, k 512, MeZO (LoRA), batch 64, steps 1000, weight decay 0, made data.}
    \par\footnotesize
    \par\noindent made, not found: the task's sentences come from this project's own grammar.
    \par\noindent accuracy in percent and cross-entropy on the test set, mean (standard deviation over seeds, ddof 0), at the step with the best dev accuracy and at the last step; gain: at best dev (in a row of last steps, there) minus zero-shot, with (the mean's standard error, ddof 1; the mean in standard errors); a cross-entropy gain below zero is better.
    \par\noindent 2 seeds: 13, 21.
    \par\noindent MeZO (LoRA), partial grid: model roberta-imdb-tiny (paper: roberta-large); task made-sentiment (not in the paper's Table 18); lr 1e-4, 3e-4 (paper: 1e-5, 5e-5, 1e-4); eps 1e-3, 3e-3 (paper: 1e-3); weight decay 0 (paper: 0.1); steps 1,000 (paper: 100,000); evaluation every 250 steps (paper: every tenth of the steps); seeds 13, 21 (paper: 13, 21, 42, 87, 100).
    \par\noindent MeZO (LoRA), selected as published (per seed the configuration with the best dev accuracy): seed 13: lr 3e-4, eps 1e-3; seed 21: lr 3e-4, eps 1e-3.
    \par\noindent selected, last step: the same runs where their training ended, no step chosen.
    \par\noindent best fixed configuration: the one with the best mean dev accuracy, for all seeds.
    \par\noindent protocol paper: the method as the paper describes it (docs/protocols.md).
    \par\noindent precision f32, mezo 0.1.0.
    \par\noindent training loss, lr 1e-4, eps 1e-3: the loss falls in 2 of 2 runs (-0.0568 per 1,000 steps on average).
    \par\noindent training loss, lr 1e-4, eps 3e-3: the loss falls in 2 of 2 runs (-0.0494 per 1,000 steps on average).
    \par\noindent training loss, lr 3e-4, eps 1e-3: the loss falls in 2 of 2 runs (-0.187 per 1,000 steps on average).
    \par\noindent training loss, lr 3e-4, eps 3e-3: the loss falls in 2 of 2 runs (-0.180 per 1,000 steps on average).
    \end{table}
    ");
}

#[test]
fn json() {
    let dir = tempfile::tempdir().unwrap();
    quickstart(dir.path());
    let text = read(dir.path()).render(Format::Json);
    let value: serde_json::Value = serde_json::from_str(&text).unwrap();
    assert_eq!(value["rows"].as_array().unwrap().len(), 8);
    assert_eq!(value["slopes"].as_array().unwrap().len(), 8);
    insta::assert_snapshot!(serde_json::to_string_pretty(&value["rows"][5]).unwrap(), @r#"
    {
      "accuracy_gain": {
        "mean": 23.999999999999986,
        "n": 2,
        "ratio": 23.999999999999986,
        "standard_error": 1.0
      },
      "chosen": {
        "13": "lr 3e-4, eps 1e-3",
        "21": "lr 3e-4, eps 1e-3"
      },
      "cross_entropy_gain": {
        "mean": -0.24000000000000005,
        "n": 2,
        "ratio": -23.999999999999982,
        "standard_error": 0.010000000000000009
      },
      "dev_accuracy": {
        "mean": 84.99999999999999,
        "n": 2,
        "std": 1.0
      },
      "dev_only": false,
      "difference": null,
      "differs_in": [
        "model roberta-imdb-tiny (paper: roberta-large)",
        "task made-sentiment (not in the paper's Table 18)",
        "lr 1e-4, 3e-4 (paper: 1e-5, 5e-5, 1e-4)",
        "eps 1e-3, 3e-3 (paper: 1e-3)",
        "weight decay 0 (paper: 0.1)",
        "steps 1,000 (paper: 100,000)",
        "evaluation every 250 steps (paper: every tenth of the steps)",
        "seeds 13, 21 (paper: 13, 21, 42, 87, 100)"
      ],
      "grid": "partial grid",
      "method": "MeZO (LoRA)",
      "paper": null,
      "row": "selected as published",
      "seeds": [
        13,
        21
      ],
      "settings": {
        "batch_size": "64",
        "cut": "tail",
        "estimator": "two-sided",
        "eval_every": "250",
        "k": "512",
        "label_words_0": "terrible",
        "label_words_1": "great",
        "lora_alpha": "16",
        "lora_r": "8",
        "max_length": "128",
        "method": "mezo",
        "model": "roberta-imdb-tiny",
        "momentum": "0",
        "objective": "cross-entropy",
        "optimizer": "sgd",
        "precision": "f32",
        "prompt": "true",
        "protocol": "paper",
        "schedule": "constant",
        "steps": "1000",
        "task": "made-sentiment",
        "template": "*cls**sent_0*_It_was*mask*.*sep+*",
        "test_cap": "1000",
        "tuning": "lora",
        "warmup": "0",
        "weight_decay": "0"
      },
      "test_at_best_dev": {
        "accuracy": {
          "mean": 83.99999999999999,
          "n": 2,
          "std": 1.0
        },
        "cross_entropy": {
          "mean": 0.44,
          "n": 2,
          "std": 0.010000000000000009
        }
      },
      "test_at_last": {
        "accuracy": {
          "mean": 82.99999999999999,
          "n": 2,
          "std": 1.0
        },
        "cross_entropy": {
          "mean": 0.45,
          "n": 2,
          "std": 0.010000000000000009
        }
      }
    }
    "#);
}

#[test]
fn slopes_csv() {
    let dir = tempfile::tempdir().unwrap();
    quickstart(dir.path());
    let text = mezo_report::slopes_csv(&read(dir.path()).slopes);
    let head: Vec<&str> = text.lines().take(2).collect();
    insta::assert_snapshot!(head.join("\n"), @r"
    id,model,task,k,method,tuning,lr,eps,batch_size,weight_decay,protocol,seed,steps,slope_per_1000,low,high,verdict,steps_needed,zero_estimates
    876c8bf7f0bf397e,roberta-imdb-tiny,made-sentiment,512,mezo,lora,1e-4,1e-3,64,0,paper,13,1000,-0.05713649133885417,-0.06716928350874522,-0.04710369916896312,falls,,
    ");
    assert_eq!(text.lines().count(), 9);
}

#[test]
fn formats_have_their_words() {
    for format in Format::ALL {
        assert_eq!(format.word().parse::<Format>().unwrap(), format);
    }
    let error = "xml".parse::<Format>().unwrap_err();
    assert_eq!(
        error.to_string(),
        "expected a table format, one of human, json, csv, md, latex, found `xml`"
    );
}
