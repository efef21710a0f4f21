"""The table of causes: code, severity, name, advice. Causes stand before their consequences: a report keeps this order."""

# ruff: noqa: E501  a table reads better with a row a line
from __future__ import annotations

from tinygrad_nn.doctor.findings import CAUSES, Cause

CAUSES.update({
    # what comes in
    "input-not-finite": Cause("error", "NaN or infinity in the inputs", "clean the data: drop or fill such values before training"),
    "label-not-finite": Cause("error", "NaN or infinity in the targets", "clean the data: drop or fill such targets before training"),
    "input-constant": Cause("error", "inputs that are all the same", "check how the batch is made: every sample is the same"),
    "label-out-of-range": Cause("error", "labels outside 0..K-1", "number the classes from 0, and give the last layer as many outputs"),
    "label-one-hot": Cause("error", "labels one-hot where class indices are wanted", "give cross-entropy the class numbers: labels.argmax(1)"),
    "label-shape": Cause("error", "targets whose shape does not fit the outputs", "bring the target to the output's shape: unsqueeze(1), or squeeze(1) on the output"),
    "label-dtype": Cause("error", "targets of a dtype the loss does not take", "class indices are integers (labels.long()), targets of BCE and squared error floats (labels.float())"),
    # how outputs meet targets
    "loss-broadcast": Cause("error", "a loss that broadcasts", "give output and target the same shape: every output is compared with every target"),
    "softmax-over-batch": Cause("error", "softmax over the batch", "take the softmax over the classes: dim=1, not dim=0"),
    "softmax-before-cross-entropy": Cause("error", "softmax before cross-entropy, which applies it itself", "give the loss raw scores: remove the softmax"),
    "sigmoid-before-cross-entropy": Cause("error", "a squashing function before cross-entropy", "give cross-entropy raw scores: remove the last activation"),
    "softmax-before-bce-with-logits": Cause("error", "softmax before BCE-with-logits", "remove the softmax and use CrossEntropyLoss with class indices"),
    "sigmoid-twice": Cause("error", "sigmoid applied twice", "remove one: BCEWithLogitsLoss applies it itself, BCELoss does not"),
    "bce-on-raw-scores": Cause("error", "raw scores into BCE, which wants probabilities", "use BCEWithLogitsLoss (Keras: from_logits=True), or CrossEntropyLoss for one class of many"),
    "nll-on-raw-scores": Cause("error", "raw scores into NLLLoss, which wants log-probabilities", "use CrossEntropyLoss, or put LogSoftmax before the loss"),
    "wrong-sign": Cause("error", "a loss that is driven up", "minimize the loss: no minus before it, no maximize=True"),
    # the loop
    "detached": Cause("error", "a loss that is cut off from the parameters", "do not leave the graph between model and loss: no .item(), .detach(), .data, no_grad or argmax"),
    "optimizer-of-another-model": Cause("error", "an optimizer that holds parameters of another model", "make the optimizer after the model, of model.parameters()"),
    "not-in-optimizer": Cause("error", "parameters that no optimizer moves", "give the optimizer all of model.parameters(); keep layers in ModuleList, not in a plain list"),
    "twice-in-optimizer": Cause("error", "parameters that are in the optimizer twice", "give each parameter to the optimizer once: it is stepped as often as it is there"),
    "forgot-backward": Cause("error", "step without backward", "call loss.backward() before each optimizer.step()"),
    "gradients-erased": Cause("error", "gradients erased between backward and step", "call zero_grad before backward, not between backward and step"),
    "forgot-step": Cause("error", "backward without step", "call optimizer.step() after loss.backward()"),
    "forgot-zero-grad": Cause("error", "gradients of earlier steps added up", "call optimizer.zero_grad() before each backward"),
    "backward-twice": Cause("error", "backward through one graph twice", "compute the loss anew in each step, and detach what is carried from one to the next"),
    "frozen": Cause("warning", "all parameters are frozen", "call requires_grad_(True) on what is to learn"),
    "training-in-eval-mode": Cause("warning", "training in evaluation mode", "call model.train() before training: dropout and batch norm are off"),
    "evaluating-in-training-mode": Cause("warning", "evaluating in training mode", "call model.eval() before evaluating: dropout drops, and batch norm learns from the test data"),
    "batch-norm-batch-one": Cause("error", "batch norm over a batch of one", "use larger batches or drop_last=True, or GroupNorm"),
    # where the training begins
    "init-constant": Cause("error", "weights that start all alike", "use nn.init, or the layers' own initial weights: units that start alike stay alike"),
    "input-scale": Cause("warning", "inputs not scaled", "scale the inputs: x / 255 for pixels, or (x - mean) / std, to values around 1"),
    "target-scale": Cause("warning", "targets not scaled", "standardize the targets: (y - mean) / std, and undo it in predictions"),
    "init-scale": Cause("warning", "initial weights too large or too small", "use nn.init.xavier_uniform_ or kaiming_uniform_, or the layers' own initial weights"),
    "initial-loss": Cause("warning", "an initial loss far above chance", "make the last layer's initial weights smaller, and check the scale of the inputs"),
    # the layers
    "schedule-too-fast": Cause("warning", "a learning rate that falls to nothing", "let the scheduler step once an epoch, not once a batch, or choose a slower schedule"),
    "weight-decay-too-high": Cause("error", "weight decay too high", "divide weight_decay by 100: usual are 1e-5 to 1e-2"),
    "clipped-away": Cause("error", "gradients clipped to almost nothing", "raise the limit of the clipping to about the usual norm of the gradients, often 1"),
    "dropout-too-high": Cause("warning", "dropout that drops almost everything", "use a smaller p: 0.1 to 0.5 of the values are usually dropped"),
    "no-activation": Cause("error", "linear layers with nothing between them", "put an activation between them, such as ReLU"),
    "lr-too-high": Cause("error", "learning rate too high", "divide the learning rate by 10"),
    "saturated": Cause("warning", "saturated activations", "scale inputs and initial weights down, or use ReLU: where sigmoid and tanh are flat, nothing learns"),
    "missing-bias": Cause("warning", "no bias before a saturated activation", "give the layer a bias, so that it can move into the steep part"),
    "dead-relu": Cause("warning", "ReLUs that never fire", "lower the learning rate, check the scale of the inputs, or use LeakyReLU"),
    "not-finite": Cause("error", "a value that is not finite", "guard the op that made it: an eps in log and division, a loss with_logits, a smaller learning rate"),
    "exploding-gradients": Cause("error", "exploding gradients", "clip the gradients (nn.utils.clip_grad_norm_), lower the learning rate, check the initial scale"),
    "vanishing-gradients": Cause("warning", "vanishing gradients", "use ReLU, better initial weights, normalization or residual connections"),
    "no-gradient": Cause("warning", "parameters that get no gradient", "use the layer in forward, and do not detach what comes after it"),
    "update-ratio": Cause("warning", "updates far from a thousandth of the weights", "change the learning rate until |update| / |weight| is near 1e-3"),
    "lr-too-low": Cause("warning", "learning rate too low", "multiply the learning rate by 10, or use Adam"),
    # the data
    "label-constant": Cause("error", "labels that are all the same", "check how the labels are made; if the data are sorted by class, shuffle them"),
    "sorted-data": Cause("error", "sorted data that is not shuffled", "shuffle: DataLoader(..., shuffle=True)"),
    "imbalanced": Cause("warning", "classes that are very unequal", "weight the rare class (weight=, pos_weight=) or draw it more often; judge by recall and precision"),
    "leakage": Cause("error", "rows of the training data in the validation data", "split the data before anything else, and remove duplicates"),
    "batch-twice": Cause("warning", "the same batch several times in a row", "take one step on each batch: look for a loop within the loop, or next(iter(loader))"),
    "mse-on-softmax": Cause("warning", "squared error on a softmax", "use CrossEntropyLoss on raw scores: squared error has almost no slope where a softmax is wrong and sure"),
    "float64": Cause("warning", "float64 creeping in", "make the tensors float32: NumPy's arrays are float64 unless you say otherwise"),
    "graph-kept": Cause("warning", "graphs kept alive across steps", "add up loss.item(), not loss, and detach what is carried from step to step"),
    # what became of it
    "stuck-at-chance": Cause("error", "a loss stuck at chance level", "if nothing above explains it, check that inputs and labels belong together, then raise the learning rate"),
    "underfit": Cause("warning", "underfitting", "train longer, with a larger network or a larger learning rate"),
    "overfit": Cause("warning", "overfitting", "stop earlier, add dropout or weight decay, or get more data"),
})  # fmt: skip
