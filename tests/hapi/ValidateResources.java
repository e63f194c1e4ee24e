import ca.uhn.fhir.context.FhirContext;
import ca.uhn.fhir.context.support.DefaultProfileValidationSupport;
import ca.uhn.fhir.context.support.IValidationSupport;
import ca.uhn.fhir.parser.IParser;
import ca.uhn.fhir.validation.FhirValidator;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import org.hl7.fhir.common.hapi.validation.support.CommonCodeSystemsTerminologyService;
import org.hl7.fhir.common.hapi.validation.support.InMemoryTerminologyServerValidationSupport;
import org.hl7.fhir.common.hapi.validation.support.SnapshotGeneratingValidationSupport;
import org.hl7.fhir.common.hapi.validation.support.ValidationSupportChain;
import org.hl7.fhir.common.hapi.validation.support.ValidationSupportChain.CacheConfiguration;
import org.hl7.fhir.common.hapi.validation.validator.FhirInstanceValidator;

/**
 * Reads FHIR R4 resources from standard input, one JSON text a line, and answers each with one line on standard
 * output: an OperationOutcome with everything the HAPI FHIR validator says of it.
 *
 * <p>It knows R4's own definitions, value sets and UCUM, and asks no terminology server. It is started from its
 * source, with the jars of pom.xml on the class path.
 */
final class ValidateResources {
    private ValidateResources() {}

    public static void main(String[] arguments) throws IOException {
        PrintStream answers = new PrintStream(System.out, false, StandardCharsets.UTF_8);
        System.setOut(System.err); // what a library prints is no answer
        FhirContext r4 = FhirContext.forR4();
        FhirValidator validator = r4.newValidator().registerValidatorModule(new FhirInstanceValidator(knowledgeOf(r4)));
        IParser writer = r4.newJsonParser();
        BufferedReader resources = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
        for (String resource = resources.readLine(); resource != null; resource = resources.readLine()) {
            answers.println(writer.encodeResourceToString(validator.validateWithResult(resource).toOperationOutcome()));
        }
        answers.flush();
    }

    private static IValidationSupport knowledgeOf(FhirContext r4) {
        return new ValidationSupportChain(
                CacheConfiguration.defaultValues(),
                new DefaultProfileValidationSupport(r4),
                new CommonCodeSystemsTerminologyService(r4),
                new InMemoryTerminologyServerValidationSupport(r4),
                new SnapshotGeneratingValidationSupport(r4));
    }
}
