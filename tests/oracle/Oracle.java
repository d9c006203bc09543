// JavaRosa, the engine inside ODK Collect, as a process that answers questions: one JSON object per line in, one out.
//
// {"command": "validate", "form_xml", "submission_xml", "media": {name: text}} loads the submission as Collect loads a
// saved one and walks the form entry; {"command": "eval", "expressions": [{"expression", "context"}], ...} evaluates
// single expressions; {"command": "open", "form_xml"} opens a blank record. Whatever is wrong with the input comes back
// as {"error": ...}: the process lives on.

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.BufferedReader;
import java.io.ByteArrayInputStream;
import java.io.FileOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.io.OutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.Paths;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.Date;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Iterator;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TimeZone;
import org.apache.commons.csv.CSVFormat;
import org.apache.commons.csv.CSVParser;
import org.apache.commons.csv.CSVRecord;
import org.javarosa.core.model.Constants;
import org.javarosa.core.model.FormDef;
import org.javarosa.core.model.FormIndex;
import org.javarosa.core.model.SelectChoice;
import org.javarosa.core.model.condition.EvaluationContext;
import org.javarosa.core.model.condition.IFunctionHandler;
import org.javarosa.core.model.data.IAnswerData;
import org.javarosa.core.model.instance.FormInstance;
import org.javarosa.core.model.instance.InstanceInitializationFactory;
import org.javarosa.core.model.instance.TreeElement;
import org.javarosa.core.model.instance.TreeReference;
import org.javarosa.core.model.utils.DateUtils;
import org.javarosa.core.reference.Reference;
import org.javarosa.core.reference.ReferenceFactory;
import org.javarosa.core.reference.ReferenceManager;
import org.javarosa.core.services.IPropertyManager;
import org.javarosa.core.services.PropertyManager;
import org.javarosa.core.services.PrototypeManager;
import org.javarosa.core.services.properties.IPropertyRules;
import org.javarosa.core.util.JavaRosaCoreModule;
import org.javarosa.form.api.FormEntryController;
import org.javarosa.form.api.FormEntryModel;
import org.javarosa.form.api.FormEntryPrompt;
import org.javarosa.model.xform.XFormsModule;
import org.javarosa.xform.parse.XFormParser;
import org.javarosa.xform.util.XFormAnswerDataSerializer;
import org.javarosa.xform.util.XFormUtils;
import org.javarosa.xpath.XPathNodeset;
import org.javarosa.xpath.XPathParseTool;
import org.javarosa.xpath.expr.XPathExpression;
import org.javarosa.xpath.expr.XPathFuncExpr;
import org.joda.time.DateTimeZone;

public final class Oracle {
    private static final ObjectMapper JSON = new ObjectMapper();
    private static final XFormAnswerDataSerializer SERIALIZER = new XFormAnswerDataSerializer();
    private static Path mediaFolder;

    private Oracle() {
    }

    public static void main(String[] args) throws Exception {
        PrintStream answers = new PrintStream(System.out, true, StandardCharsets.UTF_8.name());
        // JavaRosa prints here and there; only answers may reach standard output.
        System.setOut(new PrintStream(new FileOutputStream(java.io.FileDescriptor.err), true));
        mediaFolder = Paths.get(args[0]);
        prepareEngine();
        BufferedReader questions = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
        for (String line = questions.readLine(); line != null; line = questions.readLine()) {
            answers.println(JSON.writeValueAsString(answer(line)));
        }
    }

    private static void prepareEngine() {
        PrototypeManager.registerPrototypes(JavaRosaCoreModule.classNames);
        new XFormsModule().registerModule();
        PropertyManager.setPropertyManager(new FixedProperties());
        ReferenceManager.instance().addReferenceFactory(new MediaFolder());
    }

    private static ObjectNode answer(String line) {
        ObjectNode reply = JSON.createObjectNode();
        try {
            JsonNode request = JSON.readTree(line);
            useZone(request.path("zone").asText("UTC"));
            putMedia(request.path("media"));
            String command = request.path("command").asText();
            if (command.equals("validate")) {
                validate(request, reply);
            } else if (command.equals("eval")) {
                evaluate(request, reply);
            } else if (command.equals("open")) {
                parseForm(request.path("form_xml").asText()).initialize(true, new InstanceInitializationFactory());
            } else {
                reply.put("error", "unknown command: " + command);
            }
        } catch (Throwable problem) { // also StackOverflowError: a hostile form must not end the process
            reply.removeAll();
            reply.put("error", problem.getClass().getSimpleName() + ": " + problem.getMessage());
        }
        return reply;
    }

    private static void useZone(String zone) {
        TimeZone.setDefault(TimeZone.getTimeZone(zone));
        DateTimeZone.setDefault(DateTimeZone.forID(zone));
    }

    // --- validate ---

    private static void validate(JsonNode request, ObjectNode reply) throws Exception {
        FormDef form = parseForm(request.path("form_xml").asText());
        Map<String, String> submitted = new HashMap<>();
        loadSubmission(form, request.path("submission_xml").asText(), submitted);
        form.initialize(false, new InstanceInitializationFactory());
        ArrayNode findings = reply.putArray("findings");
        Set<String> asked = new LinkedHashSet<>();
        Set<String> before = pathsOf(form);
        walk(form, submitted, findings, asked);
        ArrayNode nodes = reply.putArray("nodes");
        describe(form.getMainInstance().getRoot(), "", submitted, asked, nodes);
        ArrayNode added = reply.putArray("added");
        for (String path : pathsOf(form)) {
            if (!before.contains(path)) {
                added.add(path);
            }
        }
    }

    private static FormDef parseForm(String xml) throws Exception {
        FormDef form = XFormUtils.getFormFromInputStream(
            new ByteArrayInputStream(xml.getBytes(StandardCharsets.UTF_8)));
        form.getEvaluationContext().addFunctionHandler(new PullData());
        return form;
    }

    /** As Collect restores a saved instance, but with absent nodes put back: JavaRosa takes those as not relevant. */
    private static void loadSubmission(FormDef form, String xml, Map<String, String> submitted) {
        TreeElement incoming =
            XFormParser.restoreDataModel(xml.getBytes(StandardCharsets.UTF_8), null).getRoot();
        TreeElement template = form.getMainInstance().getRoot().deepCopy(true);
        if (!incoming.getName().equals(template.getName())) {
            throw new IllegalArgumentException("the submission's root is not the form's");
        }
        rememberText(incoming, template, "", submitted);
        putBackAbsent(template, incoming);
        template.populate(incoming, form);
        form.getMainInstance().setRoot(template);
    }

    private static void putBackAbsent(TreeElement template, TreeElement incoming) {
        for (TreeElement child : childrenOncePerName(template)) {
            List<TreeElement> present = incoming.getChildrenWithName(child.getName());
            if (present.isEmpty() && !child.isRepeatable()) {
                TreeElement empty = new TreeElement(child.getName(), 0);
                incoming.addChild(empty);
                present = Collections.singletonList(empty);
            }
            for (TreeElement one : present) {
                putBackAbsent(child, one);
            }
        }
    }

    private static List<TreeElement> childrenOncePerName(TreeElement parent) {
        Set<String> seen = new HashSet<>();
        List<TreeElement> children = new ArrayList<>();
        for (int i = 0; i < parent.getNumChildren(); i++) {
            if (seen.add(parent.getChildAt(i).getName())) {
                children.add(parent.getChildAt(i));
            }
        }
        return children;
    }

    private static void rememberText(
        TreeElement incoming, TreeElement template, String prefix, Map<String, String> submitted) {
        String path = prefix + "/" + incoming.getName();
        if (template.isRepeatable()) {
            path += "[" + (incoming.getMult() + 1) + "]";
        }
        if (incoming.getValue() != null) {
            submitted.put(path, incoming.getValue().getDisplayText());
        }
        for (TreeElement child : childrenOncePerName(template)) {
            for (TreeElement one : incoming.getChildrenWithName(child.getName())) {
                rememberText(one, child, path, submitted);
            }
        }
    }

    private static void walk(FormDef form, Map<String, String> submitted, ArrayNode findings, Set<String> asked) {
        FormEntryModel model = new FormEntryModel(form);
        FormEntryController entry = new FormEntryController(model);
        entry.jumpToIndex(FormIndex.createBeginningOfFormIndex());
        for (int event = entry.stepToNextEvent(); event != FormEntryController.EVENT_END_OF_FORM;
            event = entry.stepToNextEvent()) {
            if (event == FormEntryController.EVENT_QUESTION) {
                judge(form, model, submitted, findings, asked);
            }
        }
    }

    private static void judge(
        FormDef form, FormEntryModel model, Map<String, String> submitted, ArrayNode findings, Set<String> asked) {
        FormEntryPrompt prompt = model.getQuestionPrompt();
        TreeReference ref = model.getFormIndex().getReference();
        TreeElement node = form.getMainInstance().resolveReference(ref);
        String path = pathOf(node);
        asked.add(path);
        IAnswerData value = node.getValue();
        String text = submitted.getOrDefault(path, "");
        if (isSelect(prompt)) {
            if (!isOffered(prompt, text)) {
                addFinding(findings, path, "choice");
            }
        } else if (value == null && !text.trim().isEmpty()) {
            addFinding(findings, path, "type");
        }
        // Looking at the choices takes an answer that is not among them away; what was sent is judged, so it comes back.
        node.setValue(value);
        if (node.isRequired() && value == null) {
            addFinding(findings, path, "required");
        } else {
            judgeConstraint(form, ref, value, path, findings);
        }
    }

    /** Collect cannot finalise a record whose constraint cannot be computed: that is an answer too. */
    private static void judgeConstraint(
        FormDef form, TreeReference ref, IAnswerData value, String path, ArrayNode findings) {
        try {
            if (!form.evaluateConstraint(ref, value)) {
                addFinding(findings, path, "constraint");
            }
        } catch (RuntimeException problem) {
            addFinding(findings, path, "error");
        }
    }

    private static boolean isSelect(FormEntryPrompt prompt) {
        int control = prompt.getControlType();
        return control == Constants.CONTROL_SELECT_ONE || control == Constants.CONTROL_SELECT_MULTI
            || control == Constants.CONTROL_RANK;
    }

    private static boolean isOffered(FormEntryPrompt prompt, String text) {
        List<SelectChoice> choices = prompt.getSelectChoices();
        if (text.trim().isEmpty()) {
            return true;
        }
        Set<String> offered = new HashSet<>();
        for (SelectChoice choice : choices) {
            offered.add(choice.getValue());
        }
        boolean several = prompt.getControlType() != Constants.CONTROL_SELECT_ONE;
        List<String> tokens = several ? Arrays.asList(text.trim().split("\\s+")) : Collections.singletonList(text);
        return offered.containsAll(tokens);
    }

    private static void addFinding(ArrayNode findings, String path, String kind) {
        findings.addObject().put("path", path).put("kind", kind);
    }

    private static void describe(
        TreeElement node, String prefix, Map<String, String> submitted, Set<String> asked, ArrayNode nodes) {
        if (node.getMult() == TreeReference.INDEX_TEMPLATE) {
            return;
        }
        String path = prefix + step(node);
        ObjectNode one = nodes.addObject().put("path", path).put("relevant", node.isRelevant());
        if (!node.hasChildren()) {
            one.put("value", serialize(node.getValue(), node.getDataType()));
            one.put("asked", asked.contains(path));
            one.put("required", node.isRequired());
        }
        // Entities are declared in attributes, and forms calculate those.
        for (int i = 0; i < node.getAttributeCount(); i++) {
            TreeElement attribute =
                node.getAttribute(node.getAttributeNamespace(i), node.getAttributeName(i));
            nodes.addObject()
                .put("path", path + "/@" + attribute.getName())
                .put("relevant", node.isRelevant())
                .put("value", serialize(attribute.getValue(), attribute.getDataType()));
        }
        for (int i = 0; i < node.getNumChildren(); i++) {
            describe(node.getChildAt(i), path, submitted, asked, nodes);
        }
    }

    private static String serialize(IAnswerData value, int dataType) {
        if (value == null) {
            return "";
        }
        Object text = SERIALIZER.serializeAnswerData(value, dataType);
        return text == null ? "" : text.toString();
    }

    private static String step(TreeElement node) {
        return "/" + node.getName() + (node.isRepeatable() ? "[" + (node.getMult() + 1) + "]" : "");
    }

    private static String pathOf(TreeElement node) {
        String above = node.getParent() instanceof TreeElement && node.getParent().getName() != null
            ? pathOf((TreeElement) node.getParent()) : "";
        return above + step(node);
    }

    private static Set<String> pathsOf(FormDef form) {
        Set<String> paths = new LinkedHashSet<>();
        collectRepeats(form.getMainInstance().getRoot(), paths);
        return paths;
    }

    private static void collectRepeats(TreeElement node, Set<String> paths) {
        if (node.getMult() == TreeReference.INDEX_TEMPLATE) {
            return;
        }
        if (node.isRepeatable()) {
            paths.add(pathOf(node));
        }
        for (int i = 0; i < node.getNumChildren(); i++) {
            collectRepeats(node.getChildAt(i), paths);
        }
    }

    // --- eval ---

    private static void evaluate(JsonNode request, ObjectNode reply) throws Exception {
        FormDef form = parseForm(request.path("form_xml").asText());
        if (request.hasNonNull("submission_xml")) {
            loadSubmission(form, request.path("submission_xml").asText(), new HashMap<>());
        }
        form.initialize(false, new InstanceInitializationFactory());
        ArrayNode results = reply.putArray("results");
        for (JsonNode one : request.path("expressions")) {
            results.add(evaluateOne(form, one));
        }
    }

    private static ObjectNode evaluateOne(FormDef form, JsonNode question) {
        ObjectNode result = JSON.createObjectNode();
        XPathExpression expression;
        try {
            expression = XPathParseTool.parseXPath(question.path("expression").asText());
        } catch (Throwable problem) {
            return result.put("type", "syntax error").put("error", String.valueOf(problem.getMessage()));
        }
        try {
            FormInstance instance = form.getMainInstance();
            EvaluationContext context =
                new EvaluationContext(form.getEvaluationContext(), reference(question.path("context").asText()));
            describeValue(XPathFuncExpr.unpack(expression.eval(instance, context)), result);
        } catch (Throwable problem) {
            result.removeAll();
            String words = problem.getClass().getSimpleName() + ": " + problem.getMessage();
            result.put("type", "error").put("error", words);
        }
        return result;
    }

    private static void describeValue(Object value, ObjectNode result) {
        result.put("type", typeOf(value));
        result.put("string", value instanceof Date ? dateTimeText((Date) value) : XPathFuncExpr.toString(value));
        result.put("number", numberText(value));
        result.put("boolean", XPathFuncExpr.toBoolean(value));
    }

    private static String typeOf(Object value) {
        if (value instanceof Date) {
            return "date";
        }
        return value instanceof Double ? "number" : value instanceof Boolean ? "boolean" : "string";
    }

    private static String dateTimeText(Date value) {
        return DateUtils.formatDateTime(value, DateUtils.FORMAT_ISO8601);
    }

    private static String numberText(Object value) {
        return Double.toString(XPathFuncExpr.toNumeric(value));
    }

    /** /data/rep[2]/x → a reference with every multiplicity bound, as the engine hands to a bind's expression. */
    private static TreeReference reference(String path) {
        TreeReference ref = TreeReference.rootRef();
        for (String step : path.substring(1).split("/")) {
            int bracket = step.indexOf('[');
            int index = bracket < 0 ? 0 : Integer.parseInt(step.substring(bracket + 1, step.length() - 1)) - 1;
            ref.add(bracket < 0 ? step : step.substring(0, bracket), index);
        }
        return ref;
    }

    // --- what Collect has around the engine ---

    private static void putMedia(JsonNode media) throws IOException {
        for (java.io.File old : mediaFolder.toFile().listFiles()) {
            Files.delete(old.toPath());
        }
        for (Iterator<Map.Entry<String, JsonNode>> files = media.fields(); files.hasNext();) {
            Map.Entry<String, JsonNode> file = files.next();
            Path target = mediaFolder.resolve(Paths.get(file.getKey()).getFileName());
            Files.write(target, file.getValue().asText().getBytes(StandardCharsets.UTF_8));
        }
    }

    /** jr://file-csv/x.csv, jr://file/x.xml and the others: the file of that name among the media. */
    private static final class MediaFolder implements ReferenceFactory {
        @Override
        public boolean derives(String uri) {
            return uri.startsWith("jr://");
        }

        @Override
        public Reference derive(String uri) {
            return new MediaFile(uri);
        }

        @Override
        public Reference derive(String uri, String context) {
            return new MediaFile(uri);
        }
    }

    private static final class MediaFile implements Reference {
        private final String uri;
        private final Path path;

        MediaFile(String uri) {
            this.uri = uri;
            this.path = mediaFolder.resolve(uri.substring(uri.lastIndexOf('/') + 1));
        }

        @Override
        public boolean doesBinaryExist() {
            return Files.exists(path);
        }

        @Override
        public InputStream getStream() throws IOException {
            return Files.newInputStream(path);
        }

        @Override
        public String getURI() {
            return uri;
        }

        @Override
        public String getLocalURI() {
            return path.toString();
        }

        @Override
        public boolean isReadOnly() {
            return true;
        }

        @Override
        public OutputStream getOutputStream() throws IOException {
            throw new IOException("read only");
        }

        @Override
        public void remove() throws IOException {
            throw new IOException("read only");
        }

        @Override
        public Reference[] probeAlternativeReferences() {
            return new Reference[0];
        }
    }

    /** Collect's pulldata(list, column, key column, key): the first row whose key is equal as text, else "". */
    private static final class PullData implements IFunctionHandler {
        @Override
        public String getName() {
            return "pulldata";
        }

        @Override
        public List<Class[]> getPrototypes() {
            return new ArrayList<>();
        }

        @Override
        public boolean rawArgs() {
            return true;
        }

        @Override
        public boolean realTime() {
            return false;
        }

        @Override
        public Object eval(Object[] args, EvaluationContext context) {
            if (args.length != 4) {
                return "";
            }
            try {
                return find(text(args[0]), text(args[1]), text(args[2]), text(args[3]));
            } catch (IOException | IllegalArgumentException missing) {
                return "";
            }
        }

        private static String text(Object value) {
            return XPathFuncExpr.toString(value);
        }

        private static String find(String list, String column, String keyColumn, String key) throws IOException {
            String name = list.endsWith(".csv") ? list : list + ".csv";
            byte[] bytes = Files.readAllBytes(mediaFolder.resolve(name));
            String content = new String(bytes, StandardCharsets.UTF_8);
            try (CSVParser rows = CSVParser.parse(content, CSVFormat.DEFAULT.withFirstRecordAsHeader())) {
                for (CSVRecord row : rows) {
                    if (row.get(keyColumn).equals(key)) {
                        return row.get(column);
                    }
                }
            }
            return "";
        }
    }

    /** What property() reads on this tablet. */
    private static final class FixedProperties implements IPropertyManager {
        @Override
        public List<String> getProperty(String name) {
            return Collections.singletonList(getSingularProperty(name));
        }

        @Override
        public void setProperty(String name, String value) {
        }

        @Override
        public void setProperty(String name, List<String> value) {
        }

        @Override
        public String getSingularProperty(String name) {
            return name.equals("deviceid") ? "collect:oracle" : null;
        }

        @Override
        public void addRules(IPropertyRules rules) {
        }

        @Override
        public List<IPropertyRules> getRules() {
            return Collections.emptyList();
        }
    }
}
